// An option that goes with another one's value is shown beside that value alone. Without this it stays, and is
// not read where it does not apply.
export function depending() {
  for (const form of document.forms) {
    const parts = [...form.querySelectorAll("[data-depends]")].map((part) => [part, JSON.parse(part.dataset.depends)]);
    if (!parts.length) continue;
    const look = () => {
      const said = new FormData(form);
      for (const [part, needs] of parts) {
        part.hidden = !Object.entries(needs).every(([name, values]) => fits(said, name, values));
        part.classList.remove("unfit");
      }
    };
    form.addEventListener("input", look);
    form.addEventListener("change", look);
    look();
  }
}

function fits(said, name, values) {
  const given = said.getAll(name).filter(Boolean);
  return values ? given.some((value) => values.includes(value)) : given.length > 0;
}
