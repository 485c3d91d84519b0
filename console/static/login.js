// The login in a window of its own: opened by the click that asks for it, closed when it is over.
const NAME = "paperbus-login";
const KEY = "paperbus-login-opened";

function opened() {
  const left = screenX + Math.max(0, (outerWidth - 560) / 2);
  const window_ = open("/opening", NAME, `popup,width=560,height=760,left=${left},top=${screenY + 60}`);
  if (window_) window_.opener = null; // Pages of a provider reach nothing through it.
  return Boolean(window_);
}

export function loggingIn() {
  // The click on "Continue" opens the window; the next page fills it.
  document.querySelector("form[data-login-next]")?.addEventListener("submit", () => {
    sessionStorage.setItem(KEY, opened() ? "yes" : "blocked");
  });

  const form = document.querySelector("form[data-window]");
  if (form) {
    const blocked = document.getElementById("blocked");
    const was = sessionStorage.getItem(KEY);
    sessionStorage.removeItem(KEY);
    form.removeAttribute("rel");
    form.target = NAME;
    if (was === "yes") form.requestSubmit();
    if (was === "blocked") blocked.hidden = false;
    form.addEventListener("submit", () => {
      if (was !== "yes" || form.dataset.again) opened();
      form.dataset.again = "yes";
      blocked.hidden = true;
      setTimeout(() => delete form.dataset.sent, 1500); // The window may be opened again.
    });
    if (was === "yes") form.dataset.again = "yes";
    setTimeout(() => delete form.dataset.sent, 1500);
    const slow = document.getElementById("slow");
    setTimeout(() => { slow.hidden = false; }, Number(slow.dataset.after) * 1000);
  }

  const over = document.querySelector("[data-close]");
  if (over && (window.name === NAME || opener)) setTimeout(() => close(), 900);
}
