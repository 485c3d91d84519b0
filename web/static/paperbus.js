// Counts down, waits for the provider, keeps a form from being sent twice. Every page works without it.
"use strict";

for (const form of document.forms) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
  });
}
// A page that comes back from the browser's memory may be sent again.
addEventListener("pageshow", () => {
  for (const form of document.forms) delete form.dataset.sent;
});

document.querySelector("[data-focus]")?.focus();

const timer = document.querySelector("[data-seconds]");
if (timer) {
  const end = performance.now() + Number(timer.dataset.seconds) * 1000;
  const tick = setInterval(() => {
    const left = Math.max(0, Math.ceil((end - performance.now()) / 1000));
    timer.textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
    if (left === 0) {
      clearInterval(tick);
      location.reload();
    }
  }, 500);
}

const watch = document.querySelector("[data-watch]");
if (watch) {
  const look = async () => {
    try {
      const answer = await fetch(watch.dataset.watch, { credentials: "same-origin", cache: "no-store" });
      if (!answer.ok || (await answer.json()).at !== watch.dataset.at) return location.reload();
    } catch {
      // The network is away for a moment: look again.
    }
    return setTimeout(look, 700);
  };
  setTimeout(look, 400);
}

// What can be asked for again only later says so, and counts down.
const again = document.querySelector("[data-until]");
if (again) {
  const end = performance.now() + Number(again.dataset.until) * 1000;
  const tick = setInterval(() => {
    const left = Math.max(0, Math.ceil((end - performance.now()) / 1000));
    again.textContent = String(left);
    if (left === 0) {
      clearInterval(tick);
      again.closest("[data-wait]").remove();
    }
  }, 500);
}

// A page that could not be made is asked for again until it can be.
if (document.querySelector("[data-again]")) {
  const look = async () => {
    try {
      if ((await fetch(location.href, { credentials: "same-origin", cache: "no-store" })).status < 500) return location.reload();
    } catch {
      // The network is away too: look again.
    }
    return setTimeout(look, 3000);
  };
  setTimeout(look, 3000);
}
