// What pages do besides: they follow what happens, search as one types, check, preview, open the login window.
// Every reading page works without it.
import { follow } from "./live.js";
import { searching } from "./search.js";
import { choosing } from "./choosing.js";
import { depending } from "./depending.js";
import { loggingIn } from "./login.js";

// The server writes times in the browser's zone. To find out its name takes a browser longer than all the rest
// here, so it is asked again only where the clock differs from UTC by something else than before.
const cookie = (name, value) => { document.cookie = `${name}=${value}; path=/; max-age=31536000; samesite=lax`; };
const offset = new Date().getTimezoneOffset();
if (!document.cookie.split("; ").includes(`paperbus-offset=${offset}`)) {
  (window.requestIdleCallback ?? setTimeout)(() => {
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    if (zone) cookie("paperbus-zone", zone);
    cookie("paperbus-offset", offset);
  });
}

// Without a network nothing is sent: what was filled in stays where it is. A machine that has none may still
// reach a service of its own, so that one is asked first.
const unsent = document.getElementById("unsent");
let reached = false;
addEventListener("submit", (event) => {
  const form = event.target;
  unsent.hidden = true;
  if (navigator.onLine || reached || form.method !== "post") return;
  event.preventDefault();
  event.stopImmediatePropagation();
  const { submitter } = event;
  fetch("/health/live", { cache: "no-store" }).then(() => {
    reached = true;
    form.requestSubmit(submitter);
    reached = false;
  }, () => { unsent.hidden = false; });
}, true);
addEventListener("online", () => { unsent.hidden = true; });

// A menu closes as one expects.
const menu = document.querySelector(".menu");
addEventListener("click", (event) => {
  if (menu?.open && !menu.contains(event.target)) menu.open = false;
});
addEventListener("keydown", (event) => {
  if (event.key === "Escape" && menu?.open) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

// A broken logo leaves the tile with its initials.
const bare = (image) => image.remove();
addEventListener("error", (event) => {
  if (event.target.matches?.(".logo img")) bare(event.target);
}, true);
for (const image of document.querySelectorAll(".logo img")) {
  if (image.complete && image.naturalWidth === 0 && image.currentSrc) bare(image);
}

searching();
choosing();
depending();
loggingIn();
follow();
