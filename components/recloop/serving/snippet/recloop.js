/* Recloop for web pages: tells what visitors do, asks what to show.
<script src="https://service.example/recloop.js" data-key="PUBLIC KEY"></script>
recloop.identify("1364"); recloop.track("view", "1082185"); recloop.recommend({k: 5}).then(show) */
(() => {
  "use strict";
  const me = document.currentScript, base = new URL(me.src).origin, key = me.dataset.key;
  const MOST = 500, BATCH = 100, SOON = 1000, LATE = 60000, memory = {};

  // what the browser does not keep, this page does
  const get = name => {
    try { return memory[name] ?? JSON.parse(localStorage.getItem("recloop." + name)); } catch { return null; }
  };
  const set = (name, value) => {
    try { localStorage.setItem("recloop." + name, JSON.stringify(value)); delete memory[name]; } catch { memory[name] = value; }
  };
  const id = () => Array.from(crypto.getRandomValues(new Uint32Array(4)), n => n.toString(36)).join("");
  const queue = () => get("queue") || [];
  const session = get("session") || "anonymous-" + id();
  set("session", session);
  const who = () => get("user") || session;
  let timer, busy = false, pause = SOON;

  // keepalive: it arrives although the page is left
  const post = (path, body, keepalive) => fetch(base + path, {
    method: "POST", keepalive, body: JSON.stringify(body),
    headers: { "Content-Type": "application/json", ...(key && { "X-API-Key": key }) },
  });

  // an event leaves the queue once the service judged it; sent twice, it counts once
  async function flush() {
    clearTimeout(timer);
    timer = 0;
    const now = Date.now() / 1000, batch = queue().slice(0, BATCH), sent = new Set(batch.map(e => e.event_id));
    if (busy || !sent.size) return;
    // the service dates what is fresh: a visitor's clock may be wrong
    const events = batch.map(({ time, ...event }) => now - time < 60 ? event : { time, ...event });
    busy = true;
    const longer = Math.min(2 * pause, LATE);
    try {
      const answer = await post("/v1/events", { events }, true);
      pause = SOON;
      if (answer.ok || answer.status == 422) set("queue", queue().filter(e => !sent.has(e.event_id)));
      else pause = 1000 * answer.headers.get("Retry-After") || longer;
    } catch { pause = longer; }
    busy = false;
    soon();
  }
  const soon = () => { if (queue().length) timer ||= setTimeout(flush, pause); };
  addEventListener("pagehide", flush);
  addEventListener("online", flush);
  soon();

  window.recloop = {
    session, flush,
    identify: user => set("user", user),
    track(event, item, more) {
      const made = { event_id: id(), user_id: who(), item_id: String(item), event, time: Date.now() / 1000, ...more };
      set("queue", [...queue(), made].slice(-MOST));
      soon();
      return made.event_id;
    },
    async recommend(ask) {
      const answer = await post("/v1/recommendations", { user_id: who(), ...ask }), body = await answer.json();
      if (!answer.ok) throw new Error("recloop: " + body.detail);
      return body;
    },
  };
})();
