(function () {
  const svg = document.getElementById("map-svg"), get = id => document.getElementById("map-" + id);
  const whole = svg.viewBox.baseVal, width = whole.width, height = whole.height, view = { x: 0, y: 0, w: width };
  const dated = [...svg.querySelectorAll("[data-day]")], strikes = [...get("strikes").children];
  const first = Date.parse(svg.dataset.first);
  const draw = () => {
    view.w = Math.min(width, Math.max(width / 64, view.w));
    const h = view.w * height / width;
    view.x = Math.min(width - view.w, Math.max(0, view.x));
    view.y = Math.min(height - h, Math.max(0, view.y));
    svg.setAttribute("viewBox", [view.x, view.y, view.w, h].map(v => v.toFixed(1)).join(" "));
    const unit = view.w / svg.getBoundingClientRect().width;
    svg.style.setProperty("--u", unit);
    svg.style.touchAction = view.w < width ? "none" : "auto";
    const room = 150 * unit, power = Math.pow(10, Math.floor(Math.log10(room)));
    const bar = power * [5, 2, 1].find(k => k * power <= room);
    get("bar").textContent = bar >= 1000 ? bar / 1000 + " km" : bar + " m";
    get("bar").style.width = bar / unit + "px";
  };
  const zoom = (factor, x = view.x + view.w / 2, y = view.y + view.w * height / width / 2) => {
    const w = factor ? Math.min(width, Math.max(width / 64, view.w * factor)) : width;
    view.x = x - (x - view.x) * w / view.w;
    view.y = y - (y - view.y) * w / view.w;
    view.w = w;
    draw();
  };
  const filter = () => {
    const day = Number(get("day").value), on = new Set([...document.querySelectorAll("[data-weapon]:checked")].map(box => box.dataset.weapon));
    for (const mark of dated) mark.toggleAttribute("hidden", Number(mark.dataset.day) > day || !on.has(mark.dataset.of));
    get("date").textContent = new Date(first + day * 864e5).toISOString().slice(0, 10);
    get("count").textContent = strikes.filter(mark => !mark.hasAttribute("hidden")).length;
  };
  const tell = mark => {
    for (const old of svg.querySelectorAll(".chosen")) old.classList.remove("chosen");
    mark.classList.add("chosen");
    get("info").textContent = mark.dataset.told + " ";
    if (/^https?:\/\//.test(mark.dataset.url || "")) {
      const link = document.createElement("a");
      link.href = mark.dataset.url;
      link.rel = "noreferrer noopener";
      link.textContent = mark.dataset.source || "source";
      get("info").append(link);
    }
  };
  const show = mark => {
    const { x, y } = mark.getBBox(), h = view.w * height / width;
    if (x < view.x || y < view.y || x > view.x + view.w || y > view.y + h) { view.x = x - view.w / 2; view.y = y - h / 2; draw(); }
  };
  const place = event => {
    const box = svg.getBoundingClientRect(), unit = view.w / box.width;
    return [view.x + (event.clientX - box.left) * unit, view.y + (event.clientY - box.top) * unit];
  };
  get("day").addEventListener("input", filter);
  for (const box of document.querySelectorAll("[data-weapon]")) box.addEventListener("input", filter);
  for (const box of document.querySelectorAll("[data-layer]")) {
    const layer = svg.querySelector(`[data-name="${box.dataset.layer}"]`);
    box.addEventListener("input", () => layer.toggleAttribute("hidden", !box.checked));
    layer.toggleAttribute("hidden", !box.checked);
  }
  for (const button of document.querySelectorAll("[data-zoom]")) button.addEventListener("click", () => zoom(Number(button.dataset.zoom)));
  for (const mark of svg.querySelectorAll("[data-told]")) mark.addEventListener("click", () => tell(mark));
  get("focus").addEventListener("click", event => {
    const [x, y, w, h] = event.currentTarget.dataset.box.split(" ").map(Number);
    view.w = Math.max(w, h * width / height);
    view.x = x + w / 2 - view.w / 2;
    view.y = y + h / 2 - view.w * height / width / 2;
    draw();
  });
  svg.addEventListener("dblclick", event => zoom(0.5, ...place(event)));
  svg.addEventListener("wheel", event => { if (event.ctrlKey) { event.preventDefault(); zoom(event.deltaY < 0 ? 0.8 : 1.25, ...place(event)); } }, { passive: false });
  let held = null;
  svg.addEventListener("pointerdown", event => { held = { at: place(event), moved: false, id: event.pointerId }; });
  svg.addEventListener("pointermove", event => {
    if (!held || held.id !== event.pointerId) return;
    const [x, y] = place(event), far = Math.hypot(x - held.at[0], y - held.at[1]) > 4 * view.w / svg.getBoundingClientRect().width;
    if (far && !held.moved) { held.moved = true; svg.setPointerCapture(event.pointerId); }
    if (!held.moved) return;
    view.x += held.at[0] - x;
    view.y += held.at[1] - y;
    draw();
  });
  for (const name of ["pointerup", "pointercancel"]) svg.addEventListener(name, () => { held = null; });
  let step = -1;
  svg.addEventListener("keydown", event => {
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    const seen = strikes.filter(mark => !mark.hasAttribute("hidden"));
    if (moves) { view.x += moves[0] * view.w / 8; view.y += moves[1] * view.w / 8; draw(); }
    else if (event.key === "+" || event.key === "=") zoom(0.5);
    else if (event.key === "-") zoom(2);
    else if (event.key === "n" && seen.length) { step = (step + 1) % seen.length; tell(seen[step]); show(seen[step]); }
    else return;
    event.preventDefault();
  });
  addEventListener("resize", draw);
  filter();
  draw();
})();
