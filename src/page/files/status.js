// Keeps the page as it is now: asks for it again every few seconds, and changes what has changed. Focus, open parts, the
// selection and what is being typed stay. Without this script the page shows what was so when it was loaded.
(() => {
  const EVERY_MS = 3_000;
  /** After failures the pause doubles up to this. */
  const SLOWEST_MS = 30_000;
  const PATIENCE_MS = 10_000;
  let pause = EVERY_MS;
  let timer;

  const keep = {
    onBeforeElUpdated(from, to) {
      if (from.isEqualNode(to)) return false;
      // What is being typed, and parts that the reader has opened.
      if (from instanceof HTMLInputElement && from === document.activeElement) return false;
      if (from instanceof HTMLDetailsElement) to.open = from.open;
      return true;
    },
  };

  function show(kind, text) {
    const live = document.getElementById("live");
    live.className = kind;
    live.textContent = text;
  }

  async function look() {
    try {
      const response = await fetch(location.href, { cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) });
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      const main = page.querySelector("main");
      if (main === null) throw new Error("no page");
      morphdom(document.querySelector("main"), main, keep);
      if (document.title !== page.title) document.title = page.title;
      const at = page.getElementById("read-at");
      const now = document.getElementById("read-at");
      if (at !== null && now !== null) morphdom(now, at);
      show("on", "live");
      pause = EVERY_MS;
    } catch {
      show("off", "this device does not answer; what you see is old");
      pause = Math.min(pause * 2, SLOWEST_MS);
    }
    plan();
  }

  function plan() {
    clearTimeout(timer);
    // A page that nobody sees asks for nothing.
    if (!document.hidden) timer = setTimeout(look, pause);
  }

  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) void look();
  });
  show("on", "live");
  plan();
})();
