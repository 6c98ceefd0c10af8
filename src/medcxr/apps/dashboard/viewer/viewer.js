// The viewer: panes that look at radiographs, and the tools above them.

const remembered = new Map(); // what was done to each radiograph in this browser tab; no pixels
const preferences = {
  tool: "pan",
  isLinked: true,
  isOutlined: false,
  isMapShown: true,
  opacity: 0.6,
  layout: null, // chosen by its name
};
const KEPT_LAYERS = 12;
const SIDE_BY_SIDE_FROM = 640; // CSS pixels; two panes in less are too small
const viewers = new WeakMap();

class Viewer {
  constructor(parent) {
    this.preferences = preferences;
    this.pictures = new Map(); // address -> Picture
    this.layers = new Map(); // address -> ImageBitmap
    this.panes = [];
    this.abort = new AbortController();
    this.build(parent);
  }

  show(data) {
    this.data = data;
    this.root.dir = data.rightToLeft ? "rtl" : "ltr";
    this.root.lang = data.locale;
    if (!remembered.has(data.key)) remembered.set(data.key, { cameras: [], looks: {}, rulers: {} });
    this.state = remembered.get(data.key);
    while (this.state.cameras.length < data.panes.length) this.state.cameras.push(new Camera());
    this.buildToolbar();
    this.loadPictures();
    this.arrange();
  }

  close() {
    this.abort.abort();
    this.observer.disconnect();
    this.pictures.clear();
    this.layers.forEach((layer) => layer.close());
    this.layers.clear();
    this.root.remove();
  }

  // Building.

  build(parent) {
    this.toolbar = element("div", { class: "toolbar", role: "toolbar" });
    this.stage = element("div", { class: "stage" });
    this.how = element("p", { class: "unseen", id: "how" });
    this.live = element("p", { class: "unseen", "aria-live": "polite" });
    this.help = element("dialog", { class: "help" });
    this.root = element(
      "div",
      { class: "viewer", role: "group" },
      this.toolbar,
      this.stage,
      this.how,
      this.live,
      this.help,
    );
    parent.append(this.root);
    this.observer = new ResizeObserver(() => this.fitStage());
    this.observer.observe(this.stage);
    document.addEventListener("fullscreenchange", () => this.fitStage(), {
      signal: this.abort.signal,
    });
  }

  buildToolbar() {
    const { words } = this.data;
    const focused = this.root.getRootNode().activeElement?.dataset?.name;
    this.root.setAttribute("aria-label", words.viewer);
    this.toolbar.setAttribute("aria-label", words.tools);
    this.how.textContent = words.how;
    const tools = ["pan", "window", "ruler"].map((name) =>
      this.button(name, words[`${name}Tool`], () => this.choose(name)),
    );
    this.presets = this.choice("presets", words.presets, (value) => this.preset(Number(value)));
    this.layouts = this.choice("layouts", words.layouts, (value) => this.arrangeAs(value));
    this.slider = element("input", {
      type: "range",
      min: "0",
      max: "100",
      step: "5",
      "aria-label": words.opacity,
      title: words.opacity,
      "data-name": "opacity",
    });
    this.slider.addEventListener("input", () => this.setOpacity(Number(this.slider.value) / 100));
    const hasMap = this.data.panes.some((pane) => pane.map);
    const hasOutlines = this.data.pictures.some((picture) => picture.outlines.length);
    const groups = [
      tools,
      [
        this.button("smaller", words.smaller, () => this.zoomAt(this.active, 0.8)),
        this.button("larger", words.larger, () => this.zoomAt(this.active, 1.25)),
        this.button("fit", words.fit, () => this.fit(this.active)),
        this.button("original", words.original, () => this.toOriginalSize(this.active), "1:1"),
      ],
      [
        this.presets,
        this.button("invert", words.invert, () => this.invert()),
        this.button("reset", words.reset, () => this.reset()),
      ],
      [
        hasOutlines && this.button("outlines", words.outlines, () => this.toggle("isOutlined")),
        hasMap && this.button("map", words.map, () => this.toggle("isMapShown")),
        hasMap && this.slider,
      ],
      [this.button("clear", words.clear, () => this.clearRulers())],
      [
        this.data.layouts.length > 1 && this.layouts,
        this.button("link", words.link, () => this.toggleLink()),
      ],
      [
        this.button("full", words.full, () => this.toggleFull()),
        this.button("help", words.help, () => this.showHelp()),
      ],
    ];
    this.toolbar.replaceChildren(
      ...groups.map((group) => element("div", { class: "group" }, ...group.filter(Boolean))),
    );
    if (focused) this.toolbar.querySelector(`[data-name="${focused}"]`)?.focus();
  }

  button(name, words, act, letters = null) {
    const made = element(
      "button",
      { type: "button", "data-name": name, title: words, "aria-label": words },
      letters ?? icon(name),
    );
    made.addEventListener("click", act);
    return made;
  }

  choice(name, words, act) {
    const made = element("select", { "data-name": name, "aria-label": words, title: words });
    made.addEventListener("change", () => act(made.value));
    return made;
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
      this.panes = wanted.map((index) => new Pane(this, index));
      this.stage.replaceChildren(...this.panes.map((pane) => pane.root));
      this.active = this.panes.at(-1);
    }
    const { layouts } = this.data;
    this.layouts.replaceChildren(
      ...layouts.map(({ name }) => element("option", { value: name }, name)),
    );
    this.layouts.value = this.layout.name;
    for (const pane of this.panes) {
      const info = this.data.panes[pane.index];
      pane.show(info, this.pictureOf(info), this.layers.get(info.map?.url) ?? null);
      pane.resize();
    }
    this.loadLayers();
    this.tell();
  }

  fitStage() {
    if (!this.data) return;
    if (this.panes.length && this.layout.panes.join() !== this.panes.map((p) => p.index).join()) {
      this.arrange();
    } else this.panes.forEach((pane) => pane.resize());
  }

  // Loading.

  pictureOf(pane) {
    return this.pictures.get(this.data.pictures[pane.picture].url);
  }

  loadPictures() {
    const known = this.pictures;
    this.pictures = new Map();
    for (const info of this.data.pictures) {
      const picture = known.get(info.url) ?? new Picture(info);
      picture.info = info;
      this.pictures.set(info.url, picture);
      if (picture.ready || (picture.loading && !picture.failed)) continue;
      picture.failed = null;
      picture.loading = picture.load(this.abort.signal).then(
        () => this.arrange(),
        (error) => {
          if (error.name === "AbortError") return;
          picture.failed = this.data.words.failed;
          this.arrange();
        },
      );
    }
  }

  async loadLayers() {
    for (const pane of this.panes) {
      const url = this.data.panes[pane.index].map?.url;
      if (!url || this.layers.has(url)) continue;
      this.layers.set(url, null); // it is on its way
      try {
        const reply = await fetch(url, { cache: "no-store", signal: this.abort.signal });
        if (!reply.ok) throw new Error(`The server answered ${reply.status}.`);
        this.layers.set(url, await createImageBitmap(await reply.blob()));
      } catch (error) {
        this.layers.delete(url);
        if (error.name === "AbortError") return;
        this.announce(this.data.words.failed);
        continue;
      }
      const [oldest] = this.layers.keys();
      if (this.layers.size > KEPT_LAYERS && oldest !== url) {
        this.layers.get(oldest)?.close();
        this.layers.delete(oldest);
      }
      for (const one of this.panes) {
        one.layer = this.layers.get(this.data.panes[one.index].map?.url) ?? null;
        one.draw();
      }
    }
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
    for (const picture of this.pictures.values()) {
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

  preset(number) {
    for (const picture of this.pictures.values()) {
      const { presets } = picture.info;
      const { black, white } = presets[Math.min(number, presets.length - 1)];
      Object.assign(this.look(picture), { black, white });
    }
    this.redraw();
    this.announceWindow();
  }

  invert() {
    for (const picture of this.pictures.values()) {
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

  showHelp() {
    const { words } = this.data;
    const close = element("button", { type: "button", class: "close" }, words.close);
    close.addEventListener("click", () => this.help.close());
    this.help.setAttribute("aria-label", words.help);
    this.help.replaceChildren(
      element("h2", {}, words.help),
      element("p", {}, words.how),
      element(
        "dl",
        {},
        ...words.keys.map(([keys, what]) =>
          element("div", {}, element("dt", {}, element("kbd", {}, keys)), element("dd", {}, what)),
        ),
      ),
      close,
    );
    this.help.showModal();
  }

  // Telling.

  redraw() {
    this.panes.forEach((pane) => pane.draw());
    this.tell();
  }

  tell() {
    const press = (name, isPressed) =>
      this.toolbar.querySelector(`[data-name="${name}"]`)?.setAttribute("aria-pressed", isPressed);
    for (const tool of ["pan", "window", "ruler"]) press(tool, preferences.tool === tool);
    press("outlines", preferences.isOutlined);
    press("map", preferences.isMapShown);
    press("link", preferences.isLinked);
    this.slider.value = String(Math.round(100 * preferences.opacity));
    const button = (name) => this.toolbar.querySelector(`[data-name="${name}"]`);
    button("link").hidden = this.panes.length < 2;
    button("clear").parentElement.hidden = !Object.values(this.state.rulers).some((kept) => kept.length);
    this.tellPresets();
    press("invert", this.active ? this.look(this.active.picture).inverted : false);
  }

  tellPresets() {
    if (!this.active) return;
    const { presets } = this.active.picture.info;
    const { black, white } = this.look(this.active.picture);
    const number = presets.findIndex(
      (one) => Math.abs(one.black - black) + Math.abs(one.white - white) < 1e-6,
    );
    const names = presets.map(({ name }, i) => element("option", { value: String(i) }, name));
    const own = element("option", { value: "-1", disabled: true }, this.data.words.ownWindow);
    this.presets.replaceChildren(...names, ...(number < 0 ? [own] : []));
    this.presets.value = String(number);
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
