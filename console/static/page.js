// Reading a page anew, and taking over those parts of it that differ. Shared by the other modules.

export async function asked(address, signal) {
  const answer = await fetch(address, { credentials: "same-origin", cache: "no-store", signal });
  if (answer.status === 401) location.reload(); // The session is over: the page says so.
  return answer;
}

export async function fetched(address, signal) {
  const answer = await asked(address, signal);
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

// Wait until nothing has been asked for a moment, then do it; an older one is given up. Where the network is
// lost, say so and do it again until it is back.
const AGAIN = 3000;

export function settled(work, wait) {
  const lost = document.getElementById("lost");
  let timer, stop;
  async function run(given) {
    stop = new AbortController();
    try {
      await work(stop.signal, ...given);
      lost.hidden = true;
    } catch (error) {
      if (error.name === "AbortError") return;
      if (!(error instanceof TypeError)) throw error; // Not the network.
      lost.hidden = false;
      timer = setTimeout(run, AGAIN, given);
    }
  }
  return (...given) => {
    clearTimeout(timer);
    stop?.abort();
    timer = setTimeout(run, wait, given);
  };
}
