// The tools above the pictures, and the legend below them.

class Toolbar {
  constructor(viewer) {
    this.viewer = viewer;
    this.root = element("div", { class: "toolbar", role: "toolbar" });
    this.legend = element("div", { class: "legend" });
  }

  // Make the tools anew, in the words of the data; what has the focus keeps it.
  build() {
    const { viewer } = this;
    const { words, panes, pictures, layouts } = viewer.data;
    const focused = this.root.getRootNode().activeElement?.dataset?.name;
    this.root.setAttribute("aria-label", words.tools);
    const hasMap = panes.some((pane) => pane.map);
    const hasOutlines = pictures.some((picture) => picture.outlines.length);
    this.presets = this.choice("presets", words.presets, (value) => viewer.preset(value));
    this.layouts = this.choice("layouts", words.layouts, (value) => viewer.arrangeAs(value));
    this.layouts.append(...layouts.map(({ name }) => element("option", { value: name }, name)));
    this.slider = this.opacitySlider(words.opacity);
    const button = (name, act, letters) => this.button(name, words[name], act, letters);
    const groups = [
      ["pan", "window", "ruler"].map((tool) =>
        this.button(tool, words[`${tool}Tool`], () => viewer.choose(tool)),
      ),
      [
        button("smaller", () => viewer.zoomAt(viewer.active, 0.8)),
        button("larger", () => viewer.zoomAt(viewer.active, 1.25)),
        button("fit", () => viewer.fit(viewer.active)),
        button("original", () => viewer.toOriginalSize(viewer.active), "1:1"),
      ],
      [
        this.presets,
        button("invert", () => viewer.invert()),
        button("reset", () => viewer.reset()),
      ],
      [
        hasOutlines && button("outlines", () => viewer.toggleOutlines()),
        hasMap && button("map", () => viewer.toggle("isMapShown")),
        hasMap && this.slider,
      ],
      [button("clear", () => viewer.clearRulers())],
      [layouts.length > 1 && this.layouts, button("link", () => viewer.toggleLink())],
      [
        button("full", () => viewer.toggleFull()),
        button("help", () => showHelp(viewer.help, words)),
      ],
    ];
    this.root.replaceChildren(
      ...groups.map((group) => element("div", { class: "group" }, ...group.filter(Boolean))),
    );
    if (focused) this.named(focused)?.focus();
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

  opacitySlider(words) {
    const made = element("input", {
      type: "range",
      min: "0",
      max: "100",
      step: "5",
      "aria-label": words,
      title: words,
      "data-name": "opacity",
    });
    made.addEventListener("input", () => this.viewer.setOpacity(Number(made.value) / 100));
    return made;
  }

  named(name) {
    return this.root.querySelector(`[data-name="${name}"]`);
  }

  // Show what is chosen.
  tell() {
    const { preferences, state, panes, active, layout } = this.viewer;
    const press = (name, isPressed) => this.named(name)?.setAttribute("aria-pressed", isPressed);
    for (const tool of ["pan", "window", "ruler"]) press(tool, preferences.tool === tool);
    press("outlines", this.viewer.isOutlined);
    press("map", preferences.isMapShown);
    press("link", preferences.isLinked);
    press("invert", this.viewer.look(active.picture).inverted);
    this.slider.value = String(Math.round(100 * preferences.opacity));
    this.layouts.value = layout.name;
    this.named("link").hidden = panes.length < 2;
    const isMeasured = Object.values(state.rulers).some((kept) => kept.length);
    this.named("clear").parentElement.hidden = !isMeasured;
    this.tellPresets();
    this.tellLegend();
  }

  tellPresets() {
    const { active, data } = this.viewer;
    const { presets } = active.picture.info;
    const { black, white } = this.viewer.look(active.picture);
    const chosen = presets.find(
      (one) => Math.abs(one.black - black) + Math.abs(one.white - white) < 1e-6,
    );
    const names = presets.map(({ name }) => element("option", { value: name }, name));
    const own = element("option", { value: "", disabled: true }, data.words.ownWindow);
    this.presets.replaceChildren(...names, ...(chosen ? [] : [own]));
    this.presets.value = chosen?.name ?? "";
  }

  // Name the colors below the pictures, where that hides nothing of them.
  tellLegend() {
    const { panes, preferences } = this.viewer;
    const isMapSeen = preferences.isMapShown && preferences.opacity > 0;
    const maps = panes.map((pane) => pane.info.map).filter((map) => map && isMapSeen);
    this.legend.replaceChildren(
      ...(this.viewer.isOutlined ? this.organs() : []),
      ...maps.map((map) => this.scale(map)),
    );
  }

  organs() {
    const { panes } = this.viewer;
    const pictures = [...new Set(panes.map((pane) => pane.picture))];
    const colors = new Map(
      pictures.flatMap(({ info }) => info.outlines.map(({ name, color }) => [name, color])),
    );
    const told = [...colors].map(([name, color]) => {
      const chip = element("span", { class: "chip", "aria-hidden": "true" });
      chip.style.background = color;
      return element("span", {}, chip, name);
    });
    for (const picture of pictures.filter(({ info }) => info.ratio)) {
      const { info } = panes.find((pane) => pane.picture === picture);
      const title = pictures.length > 1 ? `${info.title}: ` : "";
      told.push(element("span", {}, `${title}${picture.info.ratio}`));
    }
    return told;
  }

  scale({ against, inFavor, colors }) {
    const bar = element("span", { class: "bar", "aria-hidden": "true" });
    bar.style.background = `linear-gradient(to right, ${colors[0]}, #808080, ${colors[1]})`;
    // The side of each sign is the same in every language.
    return element("span", { dir: "ltr" }, element("span", {}, against), bar, inFavor);
  }
}

// Show what keys do.
function showHelp(dialog, words) {
  const close = element("button", { type: "button", class: "close" }, words.close);
  close.addEventListener("click", () => dialog.close());
  dialog.setAttribute("aria-label", words.help);
  const entry = ([keys, what]) =>
    element("div", {}, element("dt", {}, element("kbd", {}, keys)), element("dd", {}, what));
  dialog.replaceChildren(
    element("h2", {}, words.help),
    element("p", {}, words.how),
    element("dl", {}, ...words.keys.map(entry)),
    close,
  );
  dialog.showModal();
}
