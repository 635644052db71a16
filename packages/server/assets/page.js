// Keeps a page up to date: when the server's feed says that something happened, the same page is asked for
// again, and its parts marked `data-live` take the place of the old ones. So the server alone knows how a
// page looks, and without this script the page is as whole as it was when it came.

const MIN_MS_BETWEEN = 1000;

/** What each part was last made of. */
const shown = new WeakMap();

const address = document.body.dataset.events;
const status = document.querySelector(".live");

if (address && status && "EventSource" in window) follow(address, status);

/** @param {string} feed @param {Element} line where the page says that it is followed */
function follow(feed, line) {
  const text = document.createElement("span");
  const button = document.createElement("button");
  button.type = "button";
  line.append(text, button);
  line.hidden = false;

  let source = null;
  let timer = 0;
  let refreshedMs = 0;

  const say = (message) => {
    if (text.textContent !== message) text.textContent = message;
  };
  const start = () => {
    source = new EventSource(feed);
    source.addEventListener("open", () => say("Live"));
    source.addEventListener("error", () => say("The server does not answer; trying again"));
    source.addEventListener("record", refreshSoon);
    source.addEventListener("head", refreshSoon);
    button.textContent = "Pause";
  };
  const stop = () => {
    source.close();
    source = null;
    clearTimeout(timer);
    timer = 0;
    say("Paused");
    button.textContent = "Follow";
  };
  const refreshSoon = () => {
    if (timer !== 0 || document.hidden) return;
    const waitMs = Math.max(150, refreshedMs + MIN_MS_BETWEEN - performance.now());
    timer = setTimeout(async () => {
      try {
        await refresh();
      } catch {
        // Said by the feed itself, which has lost the same server.
      }
      refreshedMs = performance.now();
      timer = 0;
    }, waitMs);
  };

  button.addEventListener("click", () => (source === null ? start() : stop()));
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && source !== null) refreshSoon();
  });
  start();
}

async function refresh() {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of document.querySelectorAll("[data-live]")) {
    const next = page.querySelector(`[data-live="${part.dataset.live}"]`);
    if (next === null || next.innerHTML === shown.get(part)) continue;
    if (hasSelection(part)) continue;
    replace(part, next);
  }
}

/** What somebody is marking or reading from is not taken away under the hand. */
function hasSelection(part) {
  const selection = getSelection();
  return selection !== null && !selection.isCollapsed && part.contains(selection.anchorNode);
}

function replace(part, next) {
  const known = new Set(Array.from(part.querySelectorAll("[data-key]"), (row) => row.dataset.key));
  const focused = part.contains(document.activeElement) ? document.activeElement : null;
  const isOpen = part.querySelector("details")?.open === true;
  shown.set(part, next.innerHTML);
  part.replaceChildren(...next.childNodes);
  if (isOpen) part.querySelector("details")?.setAttribute("open", "");
  if (known.size > 0) {
    for (const row of part.querySelectorAll("[data-key]")) {
      row.classList.toggle("fresh", !known.has(row.dataset.key));
    }
  }
  if (focused !== null) focusAgain(part, focused);
}

/** The keyboard stays where it was: at the same link, else at the same region. */
function focusAgain(part, focused) {
  const href = focused.getAttribute("href");
  const again =
    href === null
      ? part.querySelector('[role="region"]')
      : Array.from(part.querySelectorAll("a")).find((link) => link.getAttribute("href") === href);
  again?.focus({ preventScroll: true });
}
