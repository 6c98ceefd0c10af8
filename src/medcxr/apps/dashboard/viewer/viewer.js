// The viewer: panes that look at radiographs, and the tools above them.

const remembered = new Map(); // what was done to each radiograph in this browser tab; no pixels
const preferences = {
  tool: "pan",
  isLinked: true,
  isOutlined: null, // as the page has it, until somebody chooses
  isMapShown: true,
  opacity: 0.6,
  layout: null, // chosen by its name
};
const SIDE_BY_SIDE_FROM = 640; // CSS pixels; two panes in less are too small
const ROOM_FOR_WORDS = 64; // CSS pixels, above and below the radiographs together
const viewers = new WeakMap();

class Viewer {
  constructor(parent) {
    this.preferences = preferences;
    this.panes = [];
    this.store = new Store(() => this.arrange());
    this.toolbar = new Toolbar(this);
    this.build(parent);
  }

  show(data) {
    this.data = data;
    this.root.dir = data.rightToLeft ? "rtl" : "ltr";
    this.root.lang = data.locale;
    if (!remembered.has(data.key)) remembered.set(data.key, { cameras: [], looks: {}, rulers: {} });
    this.state = remembered.get(data.key);
    while (this.state.cameras.length < data.panes.length) this.state.cameras.push(new Camera());
    this.root.setAttribute("aria-label", data.words.viewer);
    this.how.textContent = data.words.how;
    this.toolbar.build();
    this.store.fetchPictures(data.pictures);
    this.arrange();
  }

  close() {
    this.panes.forEach((pane) => pane.close());
    this.store.close();
    this.observer.disconnect();
    this.root.remove();
  }

  // Building.

  build(parent) {
    this.stage = element("div", { class: "stage" });
    this.how = element("p", { class: "unseen", id: "how" });
    this.live = element("p", { class: "unseen", "aria-live": "polite" });
    this.help = element("dialog", { class: "help" });
    this.root = element(
      "div",
      { class: "viewer", role: "group" },
      this.toolbar.root,
      this.stage,
      this.toolbar.legend,
      this.how,
      this.live,
      this.help,
    );
    parent.append(this.root);
    this.observer = new ResizeObserver(() => this.fitStage());
    this.observer.observe(this.stage);
    document.addEventListener("fullscreenchange", () => this.fitStage(), {
      signal: this.store.abort.signal,
    });
  }

  // Return the layout in use: the one that was chosen, else side by side where there is room.
  get layout() {
    const { layouts } = this.data;
    const chosen = layouts.find((layout) => layout.name === preferences.layout);
    const isWide = this.stage.clientWidth >= SIDE_BY_SIDE_FROM;
    return chosen ?? layouts.find((layout) => layout.panes.length > 1 === isWide) ?? layouts[0];
  }

  arrangeAs(name) {
    preferences.layout = name;
    this.arrange();
  }

  arrange() {
    const wanted = this.layout.panes;
    if (this.panes.map((pane) => pane.index).join() !== wanted.join()) {
      this.panes.forEach((pane) => pane.close());
      this.panes = wanted.map((index) => new Pane(this, index));
      this.stage.replaceChildren(...this.panes.map((pane) => pane.root));
      this.active = this.panes.at(-1);
    }
    for (const pane of this.panes) {
      const info = this.data.panes[pane.index];
      const { url } = this.data.pictures[info.picture];
      pane.show(info, this.store.pictures.get(url), this.store.layer(info.map?.url));
      pane.resize();
    }
    this.fitHeight();
    this.toolbar.tell();
  }

  // Take no more height than the radiographs fill in the width that they have.
  fitHeight() {
    const width = this.stage.clientWidth / this.panes.length;
    const heights = this.panes.map(
      ({ picture }) => (width * picture.info.originalRows) / picture.info.originalColumns,
    );
    this.stage.style.setProperty("--needed", `${Math.ceil(Math.max(...heights)) + ROOM_FOR_WORDS}px`);
  }

  fitStage() {
    if (!this.data) return;
    this.fitHeight();
    if (this.panes.length && this.layout.panes.join() !== this.panes.map((p) => p.index).join()) {
      this.arrange();
    } else this.panes.forEach((pane) => pane.resize());
  }

  // What was done to a radiograph.

  look(picture) {
    const [first] = picture.info.presets;
    const { looks } = this.state;
    looks[picture.info.key] ??= { black: first.black, white: first.white, inverted: false };
    return looks[picture.info.key];
  }

  rulers(picture) {
    this.state.rulers[picture.info.key] ??= [];
    return this.state.rulers[picture.info.key];
  }

  keepRuler(picture, ruler) {
    this.rulers(picture).push(ruler);
    this.redraw();
  }

  clearRulers() {
    this.state.rulers = {};
    for (const pane of this.panes) pane.pending = null;
    this.announce(this.data.words.cleared);
    this.redraw();
  }

  // Moving. What happens to one pane happens to those that are linked with it.

  moved(pane) {
    if (preferences.isLinked) {
      for (const camera of this.state.cameras) camera.copy(pane.camera);
    }
    this.redraw();
  }

  zoomAt(pane, factor, x = pane.size.width / 2, y = pane.size.height / 2, isTold = false) {
    pane.camera.zoomAt(factor, x, y, pane.size, pane.picture.info);
    this.moved(pane);
    if (isTold) {
      const percent = this.number(100 * pane.place.zoom * pane.density, 0);
      this.announce(fill(this.data.words.zoom, { percent }));
    }
  }

  moveBy(pane, across, down) {
    pane.camera.moveBy(across, down, pane.size, pane.picture.info);
    this.moved(pane);
  }

  fit(pane) {
    pane.camera.fit();
    this.moved(pane);
  }

  toOriginalSize(pane) {
    pane.camera.toOriginalSize(pane.size, pane.picture.info, pane.density);
    this.moved(pane);
  }

  fitOrOriginal(pane) {
    if (Math.abs(pane.camera.scale - 1) < 0.001) this.toOriginalSize(pane);
    else this.fit(pane);
  }

  activate(pane) {
    this.active = pane;
  }

  toggleLink() {
    preferences.isLinked = !preferences.isLinked;
    this.moved(this.active);
    this.announce(this.data.words[preferences.isLinked ? "linked" : "unlinked"]);
  }

  // Windows. Both panes follow, each radiograph in its own gray levels.

  changeWindow(wider, darker, isTold = false) {
    for (const picture of this.store.pictures.values()) {
      if (!picture.ready) continue;
      const look = this.look(picture);
      const width = look.white - look.black;
      const changed = Math.min(Math.max(width * Math.exp(2 * wider), 0.002), 100);
      const level = (look.black + look.white) / 2 + width * darker;
      Object.assign(look, { black: level - changed / 2, white: level + changed / 2 });
    }
    this.redraw();
    if (isTold) this.announceWindow();
  }

  announceWindow() {
    requestAnimationFrame(() => this.announce(this.active.state.textContent));
  }

  preset(name) {
    for (const picture of this.store.pictures.values()) {
      const { presets } = picture.info; // not every radiograph has every one
      const { black, white } = presets.find((one) => one.name === name) ?? presets[0];
      Object.assign(this.look(picture), { black, white });
    }
    this.redraw();
    this.announceWindow();
  }

  invert() {
    for (const picture of this.store.pictures.values()) {
      const look = this.look(picture);
      look.inverted = !look.inverted;
    }
    this.redraw();
    const { inverted } = this.look(this.active.picture);
    this.announce(this.data.words[inverted ? "inverted" : "notInverted"]);
  }

  reset() {
    for (const camera of this.state.cameras) camera.fit();
    this.state.looks = {};
    this.redraw();
    this.announce(this.data.words.wasReset);
  }

  // Preferences.

  get isOutlined() {
    return preferences.isOutlined ?? this.data.outlined;
  }

  toggleOutlines() {
    preferences.isOutlined = !this.isOutlined;
    this.redraw();
  }

  choose(tool) {
    preferences.tool = tool;
    for (const pane of this.panes) {
      pane.pending = null;
      pane.cross = null;
    }
    this.redraw();
    this.announce(this.data.words[`${tool}Tool`]);
  }

  toggle(name) {
    preferences[name] = !preferences[name];
    this.redraw();
  }

  setOpacity(opacity) {
    preferences.opacity = Math.min(Math.max(Math.round(20 * opacity) / 20, 0), 1);
    preferences.isMapShown = true;
    this.redraw();
  }

  changeOpacity(step) {
    this.setOpacity(preferences.opacity + step);
    const percent = this.number(100 * preferences.opacity, 0);
    this.announce(`${this.data.words.opacity}: ${percent}%`);
  }

  get isMaximized() {
    const { host } = this.root.getRootNode();
    return document.fullscreenElement === host || this.root.classList.contains("maximized");
  }

  toggleFull() {
    const { host } = this.root.getRootNode();
    if (document.fullscreenElement) document.exitFullscreen();
    else if (this.isMaximized || !host.requestFullscreen) this.root.classList.toggle("maximized");
    else host.requestFullscreen().catch(() => this.root.classList.add("maximized"));
  }

  // Telling.

  redraw() {
    this.panes.forEach((pane) => pane.draw());
    this.toolbar.tell();
  }

  announce(words) {
    this.live.textContent = words;
  }

  number(value, digits = 0) {
    return new Intl.NumberFormat(this.data.locale, {
      numberingSystem: "latn",
      useGrouping: false,
      minimumFractionDigits: digits,
      maximumFractionDigits: digits,
    }).format(value);
  }
}

export default function view({ data, parentElement }) {
  const viewer = viewers.get(parentElement) ?? new Viewer(parentElement);
  viewers.set(parentElement, viewer);
  viewer.show(data);
  return () => {
    viewers.delete(parentElement);
    viewer.close();
  };
}
