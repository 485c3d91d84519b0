// Forms about an account: intervals in words, values checked as typed, folders and live choices, previews.
import { asked, fetched, replace, settled } from "./page.js";

const MOST = 200;

export function choosing() {
  for (const rhythm of document.querySelectorAll("[data-rhythm]")) rhythms(rhythm);
  const form = document.querySelector("form[data-check]");
  if (!form) return;
  for (const input of form.querySelectorAll("[data-pattern], [aria-required]")) {
    input.addEventListener("blur", () => check(input));
    input.addEventListener("input", () => input.hasAttribute("aria-invalid") && check(input));
  }
  for (const input of form.querySelectorAll("[data-live-choice]")) picker(form, input);
  previews(form);
}

// The interval in words with its next two runs.
function rhythms(rhythm) {
  const form = rhythm.closest("form");
  const select = rhythm.querySelector("[data-zone]");
  const fresh = form.hasAttribute("data-login-next") && !document.cookie.includes("paperbus-zone=");
  const zone = fresh && Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (select && zone) {
    if (![...select.options].some((one) => one.value === zone)) select.add(new Option(zone, zone));
    select.value = zone;
  }
  const look = settled(async (signal) => {
    const query = new URLSearchParams(new FormData(form));
    for (const name of ["_form", "connection_id"]) query.delete(name);
    const { answer, page } = await fetched(`${rhythm.dataset.rhythm}?${query}`, signal);
    if (answer.ok) replace(document.getElementById("coming"), page.getElementById("coming"));
  }, 120);
  rhythm.addEventListener("input", look);
  if (fresh) look();
}

function check(input) {
  const value = input.value.trim();
  let wrong = "";
  if (value && input.dataset.pattern) {
    try {
      if (!new RegExp(`^(?:${input.dataset.pattern})$`, "u").test(value)) wrong = input.dataset.message;
    } catch {
      return; // A pattern that only the server can read.
    }
  }
  const id = `${input.id}-error`;
  document.getElementById(id)?.remove();
  if (wrong) {
    const text = document.createElement("p");
    text.className = "error";
    text.id = id;
    text.textContent = wrong;
    (input.closest(".combo") ?? input).after(text);
    input.setAttribute("aria-invalid", "true");
    input.setAttribute("aria-describedby", `${input.id}-help ${id}`);
  } else {
    input.removeAttribute("aria-invalid");
  }
}

function previews(form) {
  const part = document.getElementById("preview");
  if (!part) return;
  const look = settled(async (signal) => {
    const query = new URLSearchParams(new FormData(form));
    query.delete("_form");
    const { answer, page } = await fetched(`${form.dataset.preview}?${query}`, signal);
    if (answer.ok) replace(part, page.getElementById("preview"));
  }, 150);
  form.addEventListener("input", look);
  form.addEventListener("change", look);
}

// What can be chosen is asked of the provider; a folder is walked step by step, and may be typed all the same.
function picker(form, input) {
  const walks = input.dataset.liveChoice === "folder";
  const dated = input.type === "date";
  const words = document.getElementById("picker-words").content;
  const say = (name) => words.querySelector(`[data-word="${name}"]`).textContent;
  const combo = document.createElement("div");
  combo.className = "combo";
  input.before(combo);
  const button = document.createElement("button");
  button.type = "button";
  button.className = "quiet small";
  button.textContent = say("choose");
  button.setAttribute("aria-expanded", "false");
  combo.append(input, button);
  const room = combo.nextElementSibling;
  const panel = room?.matches(".picker") ? room : document.createElement("div");
  panel.classList.add("picker");
  panel.hidden = true;
  combo.after(panel);
  let parent = "", told;

  function shut() {
    panel.hidden = true;
    button.setAttribute("aria-expanded", "false");
  }
  function entry(label, act, pressed) {
    const item = document.createElement("li");
    const one = document.createElement("button");
    one.type = "button";
    one.textContent = label;
    if (pressed) one.setAttribute("aria-pressed", "true");
    one.addEventListener("click", act);
    item.append(one);
    return item;
  }
  function take(value) {
    input.value = value;
    input.dispatchEvent(new Event("input", { bubbles: true }));
  }
  const load = settled(async (signal, query) => {
    const wanted = new URLSearchParams({ query });
    if (walks && parent) wanted.set("parent", parent);
    panel.replaceChildren(...Array.from({ length: dated ? 4 : 3 }, () => Object.assign(document.createElement("div"), { className: "skeleton" })));
    const answer = await asked(`${form.dataset.choices}/${input.name}?${wanted}`, signal);
    told = await answer.json();
    draw("");
  }, 120);
  // What can be chosen, as far as it begins with what was typed.
  function draw(typed) {
    const list = document.createElement("ul");
    list.setAttribute("aria-label", say("choices"));
    const fitting = told.items.filter(({ label }) => label.toLowerCase().startsWith(typed.toLowerCase()));
    const about = document.createElement("p");
    about.className = "soft";
    about.textContent = told.message ?? (told.items.length ? (walks ? parent || "/" : "") : say("nothing"));
    if (walks && parent) {
      list.append(entry(`↑ ${say("up")}`, () => {
        parent = parent.slice(0, parent.lastIndexOf("/"));
        take(parent || "/");
        load("");
      }));
    }
    for (const { value, label } of fitting.slice(0, MOST)) {
      list.append(entry(dated ? label.replace(value, day(value)) : label, () => {
        take(value);
        if (walks) {
          parent = value;
          load("");
        } else if (dated) {
          load(value);
        } else {
          shut();
          input.focus();
        }
      }));
    }
    const more = document.createElement("p");
    more.className = "soft";
    more.textContent = fitting.length > MOST ? say("more") : "";
    panel.replaceChildren(about, list, more);
  }
  button.addEventListener("click", () => {
    if (!panel.hidden) return shut();
    panel.hidden = false;
    button.setAttribute("aria-expanded", "true");
    parent = "";
    return load("");
  });
  input.addEventListener("input", (event) => {
    if (!event.isTrusted || panel.hidden || !told) return;
    if (walks) draw(input.value.slice(input.value.lastIndexOf("/") + 1));
    else load(input.value);
  });
  // How many documents a first import would be is said before it begins.
  if (dated && !form.elements.expected_revision) button.click();
  panel.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      shut();
      button.focus();
    }
  });
}

function day(value) {
  const { lang } = document.documentElement;
  return new Date(`${value}T00:00`).toLocaleDateString(lang === "en" ? "en-GB" : lang, { dateStyle: "medium" });
}
