// What pages do besides: they follow what happens, search as one types, check, preview, open the login window.
// Every reading page works without it.
import { follow } from "./live.js";
import { searching } from "./search.js";
import { choosing } from "./choosing.js";
import { depending } from "./depending.js";
import { loggingIn } from "./login.js";

// The server writes times in the browser's zone; it is told once.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (zone && !document.cookie.includes(`paperbus-zone=${zone}`)) {
  document.cookie = `paperbus-zone=${zone}; path=/; max-age=31536000; samesite=lax`;
}

// Without a network nothing is sent: what was filled in stays where it is.
const unsent = document.getElementById("unsent");
addEventListener("submit", (event) => {
  unsent.hidden = navigator.onLine || event.target.method !== "post";
  if (unsent.hidden) return;
  event.preventDefault();
  event.stopImmediatePropagation();
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
