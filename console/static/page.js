// Reading a page anew, and taking over those parts of it that differ. Shared by the other modules.

export async function fetched(address, signal) {
  const answer = await fetch(address, { credentials: "same-origin", cache: "no-store", signal });
  const text = await answer.text();
  return { answer, page: new DOMParser().parseFromString(text, "text/html") };
}

// Put `fresh` in the place of the part with the same id, and keep the focus where it was.
export function replace(part, fresh) {
  if (!fresh || part.innerHTML === fresh.innerHTML) return;
  const at = part.contains(document.activeElement) ? path(part, document.activeElement) : null;
  const open = [...part.querySelectorAll("details")].map((one) => one.open);
  part.replaceChildren(...fresh.childNodes);
  for (const name of part.getAttributeNames()) if (!fresh.hasAttribute(name)) part.removeAttribute(name);
  for (const name of fresh.getAttributeNames()) part.setAttribute(name, fresh.getAttribute(name));
  [...part.querySelectorAll("details")].forEach((one, n) => { one.open = open[n] ?? one.open; });
  if (at) part.querySelector(at)?.focus();
}

function path(part, element) {
  const steps = [];
  for (let one = element; one !== part; one = one.parentElement) {
    if (one.id) return [`#${CSS.escape(one.id)}`, ...steps].join(" > ");
    steps.unshift(`${one.localName}:nth-child(${[...one.parentElement.children].indexOf(one) + 1})`);
  }
  return `:scope > ${steps.join(" > ")}`;
}

// Wait until nothing has been asked for a moment, then do it; an older one is given up.
export function settled(work, wait) {
  let timer, stop;
  return (...given) => {
    clearTimeout(timer);
    stop?.abort();
    timer = setTimeout(() => {
      stop = new AbortController();
      work(stop.signal, ...given).catch((error) => {
        if (error.name !== "AbortError") console.debug(error);
      });
    }, wait);
  };
}
