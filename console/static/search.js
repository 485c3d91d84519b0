// Lists that are searched as one types. Without this, their forms have a button.
import { fetched, replace, settled } from "./page.js";

export function searching() {
  const form = document.querySelector("form[data-search]");
  if (!form) return;
  const part = document.querySelector(form.dataset.search);
  const look = settled(async (signal) => {
    const query = new URLSearchParams(new FormData(form));
    for (const [name, value] of [...query]) if (!value) query.delete(name);
    const address = `${location.pathname}${query.size ? `?${query}` : ""}`;
    const slow = setTimeout(() => part.classList.add("waits"), 150);
    try {
      const { answer, page } = await fetched(address, signal);
      if (answer.ok) {
        replace(part, page.querySelector(form.dataset.search));
        const csv = document.querySelector("[data-csv]");
        if (csv) csv.href = page.querySelector("[data-csv]").href.replace(/^.*\/documents\.csv/, "documents.csv");
        history.replaceState(null, "", address);
      }
    } finally {
      clearTimeout(slow);
      part.classList.remove("waits");
    }
  }, 90);
  form.addEventListener("input", look);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    look();
  });
  const field = form.querySelector("[data-autofocus]");
  if (field && matchMedia("(hover: hover)").matches) field.focus({ preventScroll: true });
}
