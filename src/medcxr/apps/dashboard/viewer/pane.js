// One look at a radiograph: its canvas, and what pointers and keys do on it.

const CLICK = 5; // CSS pixels that a pointer may move and still click
const WHEEL = 0.0015; // per pixel of a turned wheel
const WHEEL_LINE = 33; // pixels
const PINCH_WHEEL = 0.01; // trackpads report a pinch as small turns with Control

class Pane {
  constructor(viewer, index) {
    this.viewer = viewer;
    this.index = index;
    this.pointers = new Map();
    this.pending = null; // a ruler whose second end is not set yet
    this.cross = null; // the ruler's cross, for keys
    this.isMoving = false;
    this.layer = null;
    this.size = { width: 0, height: 0 };
    this.build();
    this.listen();
  }

  build() {
    this.canvas = element("canvas", { tabindex: "0", role: "application" });
    this.title = element("p", { class: "title" });
    this.measures = element("ul", { class: "measures" });
    this.state = element("p", { class: "state" });
    this.value = element("p", { class: "value" });
    this.notice = element("p", { class: "notice", hidden: true });
    this.message = element("p", { class: "message", role: "status" });
    this.root = element(
      "div",
      { class: "pane" },
      this.canvas,
      element("div", { class: "corner top start" }, this.title, this.notice),
      element("div", { class: "corner top end" }, this.measures),
      element("div", { class: "corner bottom" }, this.state, this.value),
      this.message,
    );
  }

  show(info, picture, layer) {
    this.info = info;
    this.picture = picture;
    this.layer = layer;
    const { words } = this.viewer.data;
    this.canvas.setAttribute("aria-roledescription", words.radiograph);
    this.canvas.setAttribute("aria-label", `${info.title}. ${info.description}`);
    this.canvas.setAttribute("aria-describedby", "how");
    this.title.textContent = info.title;
    const waiting = picture.hasFailed ? words.failed : words.loading;
    this.message.textContent = picture.ready ? "" : waiting;
    this.draw();
  }

  // Draw no more: what is drawn is closed with the viewer, and a frame may have been asked for.
  close() {
    cancelAnimationFrame(this.frame);
    this.frame = null;
    this.info = null;
    this.layer = null;
  }

  // What the camera and the preferences make of this pane.

  get camera() {
    return this.viewer.state.cameras[this.index];
  }

  get look() {
    return this.viewer.look(this.picture);
  }

  get rulers() {
    const kept = this.viewer.rulers(this.picture);
    return this.pending ? [...kept, this.pending] : kept;
  }

  get opacity() {
    return this.viewer.preferences.isMapShown ? this.viewer.preferences.opacity : 0;
  }

  get isOutlined() {
    return this.viewer.isOutlined;
  }

  get density() {
    return window.devicePixelRatio || 1;
  }

  get place() {
    return this.camera.place(this.size, this.picture.info);
  }

  // Return the point of the radiograph in the middle of the pane.
  get middle() {
    return this.toOriginal(this.size.width / 2, this.size.height / 2);
  }

  toScreen(point) {
    const { left, top, zoom } = this.place;
    return [left + point.x * zoom, top + point.y * zoom];
  }

  toOriginal(x, y) {
    const { left, top, zoom } = this.place;
    return { x: (x - left) / zoom, y: (y - top) / zoom };
  }

  // Return a length with what it is a length of; without it, beside the line in the picture.
  told(ruler) {
    const { value, unit } = this.picture.length(ruler.from, ruler.to);
    return fill(this.viewer.data.words[unit], { value: this.viewer.number(value, 1) });
  }

  toldShort(ruler) {
    const { value, unit } = this.picture.length(ruler.from, ruler.to);
    const words = this.viewer.data.words[unit === "pixels" ? "pixels" : "patient"];
    return fill(words, { value: this.viewer.number(value, 1) });
  }

  resize() {
    const { width, height } = this.canvas.getBoundingClientRect();
    if (!width || !height) return;
    this.size = { width, height };
    this.canvas.width = Math.round(width * this.density);
    this.canvas.height = Math.round(height * this.density);
    this.draw();
  }

  draw() {
    if (this.frame || !this.info) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = null;
      if (!this.size.width) return;
      drawPane(this.canvas.getContext("2d", { alpha: false }), this);
      this.tell();
    });
  }

  // Write the state beside the picture, for readers and for whoever tests it.
  tell() {
    const { words } = this.viewer.data;
    const { info } = this.picture;
    const { zoom, left, top } = this.place;
    const { black, white, inverted } = this.look;
    const [low, high] = [this.picture.inFile(black), this.picture.inFile(white)];
    const digits = info.atZero === null || Math.abs(high - low) < 10 ? 1 : 0;
    const parts = [
      fill(words.zoom, { percent: this.viewer.number(100 * zoom * this.density, 0) }),
      fill(info.atZero === null ? words.windowPercent : words.window, {
        width: this.viewer.number(Math.abs(high - low), digits),
        level: this.viewer.number((low + high) / 2, digits),
      }),
    ];
    if (inverted) parts.push(words.inverted);
    if (info.columns < info.originalColumns) {
      const [shown, whole] = [info.columns, info.originalColumns].map((n) => this.viewer.number(n));
      parts.push(fill(words.reduced, { shown, whole }));
    }
    this.state.textContent = this.picture.ready ? parts.join(" · ") : "";
    Object.assign(this.canvas.dataset, {
      ready: this.picture.ready,
      zoom: zoom.toFixed(5),
      left: left.toFixed(2),
      top: top.toFixed(2),
      black: black.toFixed(5),
      white: white.toFixed(5),
      inverted,
      opacity: this.layer ? this.opacity : 0,
      outlined: this.isOutlined,
    });
    this.measures.replaceChildren(
      ...this.rulers.map((ruler) => element("li", {}, this.told(ruler))),
    );
    this.tellNotice();
    const isStill = this.viewer.preferences.tool === "pan" && this.camera.scale <= 1.001;
    this.canvas.style.touchAction = isStill ? "pan-y" : "none"; // or no page could be scrolled
    this.canvas.dataset.tool = this.viewer.preferences.tool;
  }

  tellNotice() {
    const { map, pending } = this.info;
    const notice = pending || (map && this.opacity > 0 ? map.notice : "");
    this.notice.hidden = !notice;
    this.notice.textContent = notice;
    this.notice.classList.toggle("pending", Boolean(pending));
  }

  // Pointers.

  listen() {
    const on = (name, handle, options) => this.canvas.addEventListener(name, handle, options);
    on("pointerdown", (event) => this.press(event));
    on("pointermove", (event) => this.move(event));
    on("pointerup", (event) => this.release(event));
    on("pointercancel", (event) => this.forget(event));
    on("pointerleave", () => (this.value.textContent = ""));
    on("contextmenu", (event) => event.preventDefault());
    on("wheel", (event) => this.turn(event), { passive: false });
    on("dblclick", () => {
      if (this.viewer.preferences.tool === "pan") this.viewer.fitOrOriginal(this);
    });
    on("keydown", (event) => takeKey(this, event));
    on("focus", () => this.viewer.activate(this));
    on("blur", () => {
      this.cross = null;
      this.draw();
    });
  }

  pointOf(event) {
    const box = this.canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  press(event) {
    if (!this.picture.ready) return;
    this.canvas.focus({ preventScroll: true });
    this.canvas.setPointerCapture(event.pointerId);
    const point = this.pointOf(event);
    this.pointers.set(event.pointerId, point);
    this.isMoving = true;
    if (this.pointers.size > 1) {
      this.action = null; // two fingers: enlarge and move
      if (this.pending?.isFresh) this.pending = null;
      return;
    }
    this.action = this.viewer.preferences.tool;
    if (event.button === 2 || event.shiftKey) this.action = "window";
    if (event.button === 1) this.action = "pan";
    if (this.action === "ruler") this.pressRuler(point);
  }

  pressRuler({ x, y }) {
    const at = this.toOriginal(x, y);
    this.cross = null;
    if (this.pending) {
      this.pending.isFresh = false;
      this.pending.to = at;
    } else {
      this.pending = { from: at, to: at, pressed: { x, y }, isFresh: true };
    }
    this.draw();
  }

  move(event) {
    if (!this.picture?.ready) return;
    const point = this.pointOf(event);
    const before = this.pointers.get(event.pointerId);
    if (!before) {
      this.hover(point);
      return;
    }
    if (this.pointers.size > 1) this.pinch(event.pointerId, point);
    else if (this.action === "pan") this.viewer.moveBy(this, point.x - before.x, point.y - before.y);
    else if (this.action === "window") {
      const { width, height } = this.size;
      this.viewer.changeWindow((point.x - before.x) / width, (point.y - before.y) / height);
    } else if (this.action === "ruler") this.hover(point);
    this.pointers.set(event.pointerId, point);
  }

  hover({ x, y }) {
    const at = this.toOriginal(x, y);
    if (this.pending) {
      this.pending.to = at;
      this.draw();
    }
    const value = this.picture.valueAt(at.x, at.y);
    const digits = this.picture.info.atZero === null ? 1 : 0;
    this.value.textContent =
      value === null
        ? ""
        : fill(this.viewer.data.words[digits ? "valuePercent" : "value"], {
            x: this.viewer.number(Math.floor(at.x)),
            y: this.viewer.number(Math.floor(at.y)),
            value: this.viewer.number(value, digits),
          });
  }

  pinch(moved, point) {
    const [other] = [...this.pointers].filter(([id]) => id !== moved).map(([, at]) => at);
    const before = this.pointers.get(moved);
    const apart = (a, b) => Math.max(Math.hypot(a.x - b.x, a.y - b.y), 1);
    const middle = { x: (point.x + other.x) / 2, y: (point.y + other.y) / 2 };
    this.viewer.zoomAt(this, apart(point, other) / apart(before, other), middle.x, middle.y);
    this.viewer.moveBy(this, (point.x - before.x) / 2, (point.y - before.y) / 2);
  }

  release(event) {
    const point = this.pointers.get(event.pointerId);
    this.forget(event);
    if (!point || this.action !== "ruler" || !this.pending) return;
    const { pressed, isFresh } = this.pending;
    const isDragged = Math.hypot(point.x - pressed.x, point.y - pressed.y) > CLICK;
    if (!isFresh || isDragged) this.finishRuler();
  }

  forget(event) {
    this.pointers.delete(event.pointerId);
    this.isMoving = this.pointers.size > 0;
    this.draw();
  }

  turn(event) {
    if (!this.picture.ready) return;
    event.preventDefault();
    const pixels = event.deltaY * (event.deltaMode === 1 ? WHEEL_LINE : 1);
    const { x, y } = this.pointOf(event);
    this.viewer.zoomAt(this, Math.exp(-pixels * (event.ctrlKey ? PINCH_WHEEL : WHEEL)), x, y);
  }

  finishRuler() {
    const { from, to } = this.pending;
    this.pending = null;
    const ruler = { from, to };
    this.viewer.keepRuler(this.picture, ruler);
    this.viewer.announce(this.told(ruler));
  }
}
