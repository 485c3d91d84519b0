// Lists that are searched as one types. Without this, their forms have a button.
import { fetched, replace, settled } from "./page.js";

export function searching() {
  const form = document.querySelector("form[data-search]");
  if (!form) return;
  const part = document.querySelector(form.dataset.search);
  async function show(address, signal) {
    const slow = setTimeout(() => part.classList.add("waits"), 150);
    try {
      const { answer, page } = await fetched(address, signal);
      if (!answer.ok) return;
      replace(part, page.querySelector(form.dataset.search));
      const csv = document.querySelector("[data-csv]");
      if (csv) csv.href = page.querySelector("[data-csv]").href.replace(/^.*\/documents\.csv/, "documents.csv");
      history.replaceState(null, "", address);
      goOn();
    } finally {
      clearTimeout(slow);
      part.classList.remove("waits");
    }
  }
  const look = settled((signal, address) => show(address, signal), 90);
  // Where older rows are still to be looked through, that is done by itself, until something fits.
  function goOn() {
    const older = part.querySelector("[data-go-on]");
    if (older) look(older.href);
  }
  function typed() {
    const query = new URLSearchParams(new FormData(form));
    for (const [name, value] of [...query]) if (!value) query.delete(name);
    look(`${location.pathname}${query.size ? `?${query}` : ""}`);
  }
  form.addEventListener("input", typed);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    typed();
  });
  goOn();
  const field = form.querySelector("[data-autofocus]");
  if (field && matchMedia("(hover: hover)").matches) field.focus({ preventScroll: true });
}
