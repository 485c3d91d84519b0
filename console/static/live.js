// A page follows what happens: told that something is new, it reads itself anew. After a lost connection too.
import { fetched, replace } from "./page.js";

const SOON = 40, LATER = 3000;

export function follow() {
  const parts = () => [...document.querySelectorAll("[data-live]")];
  const first = parts()[0];
  if (!first) return;
  const lost = document.getElementById("lost");
  let reading = false, again = false, timer;

  async function read() {
    if (reading) {
      again = true;
      return;
    }
    reading = true;
    try {
      const { answer, page } = await fetched(location.href);
      if (answer.redirected && new URL(answer.url).pathname !== location.pathname) {
        location.assign(answer.url);
        return;
      }
      if (answer.status === 401 || answer.status === 404) location.reload();
      if (answer.ok) for (const part of parts()) replace(part, page.getElementById(part.id));
      lost.hidden = answer.status < 500;
    } catch {
      lost.hidden = false; // What is known stays where it is.
    } finally {
      reading = false;
      schedule(lost.hidden ? Number(parts()[0]?.dataset.poll) : LATER);
      if (again) {
        again = false;
        read();
      }
    }
  }

  // While something runs, its progress is looked at; while a part of our service is away, whether it is back.
  function schedule(wait) {
    clearTimeout(timer);
    if (wait) timer = setTimeout(() => (document.hidden ? schedule(wait) : read()), wait);
  }

  const mine = location.pathname.match(/^\/accounts\/([^/]+)/)?.[1];
  let source, retry;
  function listen() {
    clearTimeout(retry);
    source?.close();
    source = new EventSource(first.dataset.events);
    let heard = false;
    source.addEventListener("hello", () => {
      if (!heard || !lost.hidden) setTimeout(read, SOON);
      heard = true;
      lost.hidden = true;
    });
    source.addEventListener("news", (event) => {
      const { about } = JSON.parse(event.data);
      if (!mine || about.length === 0 || about.includes(mine)) setTimeout(read, SOON);
    });
    source.addEventListener("over", () => location.reload());
    source.addEventListener("error", () => {
      lost.hidden = false;
      if (source.readyState === EventSource.CLOSED) retry = setTimeout(listen, 2000);
    });
  }
  addEventListener("pagehide", () => source?.close());
  addEventListener("pageshow", (event) => event.persisted && listen());
  addEventListener("online", listen);
  listen();
  schedule(Number(first.dataset.poll));
}
