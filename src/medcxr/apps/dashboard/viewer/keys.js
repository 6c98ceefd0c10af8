// What keys do in a pane that has the focus.

const KEY_STEP = 0.08; // of the pane, that an arrow moves
const KEY_WINDOW = 0.04; // of the window, that Shift and an arrow change
const KEY_CROSS = 4; // CSS pixels, that an arrow moves the ruler's cross

// Do what a key means; keys that mean nothing here are left to the page.
function takeKey(pane, event) {
  if (event.ctrlKey || event.metaKey || event.altKey || !pane.picture.ready) return;
  const acts = keyActs(pane, event);
  const isPlain = /^[\x20-\x7e]$/.test(event.key); // else a keyboard of another script
  const letter = event.code.replace(/^Key/, "").toLowerCase();
  const act = isPlain ? acts[event.key.toLowerCase()] : (acts[event.key] ?? acts[letter]);
  if (!act) return;
  event.preventDefault();
  event.stopPropagation(); // the page has keys of its own
  act();
}

function keyActs(pane, event) {
  const { viewer } = pane;
  const [x, y] = [pane.size.width / 2, pane.size.height / 2];
  const larger = () => viewer.zoomAt(pane, 1.25, x, y, true);
  const arrow = (across, down) => () => takeArrow(pane, event, across, down);
  const canLeave = pane.pending || viewer.isMaximized;
  return {
    "+": larger,
    "=": larger,
    "-": () => viewer.zoomAt(pane, 0.8, x, y, true),
    0: () => viewer.fit(pane),
    1: () => viewer.toOriginalSize(pane),
    ArrowLeft: arrow(-1, 0),
    ArrowRight: arrow(1, 0),
    ArrowUp: arrow(0, -1),
    ArrowDown: arrow(0, 1),
    p: () => viewer.choose("pan"),
    w: () => viewer.choose("window"),
    d: () => viewer.choose("ruler"),
    i: () => viewer.invert(),
    r: () => viewer.reset(),
    o: () => viewer.toggleOutlines(),
    m: () => viewer.toggle("isMapShown"),
    l: () => viewer.toggleLink(),
    f: () => viewer.toggleFull(),
    "[": () => viewer.changeOpacity(-0.1),
    "]": () => viewer.changeOpacity(0.1),
    "?": () => showHelp(viewer.help, viewer.data.words),
    " ": () => placeByKey(pane),
    Enter: () => placeByKey(pane),
    Delete: () => viewer.clearRulers(),
    Backspace: () => viewer.clearRulers(),
    ...(canLeave ? { Escape: () => leave(pane) } : {}),
  };
}

function takeArrow(pane, event, across, down) {
  const { viewer, size } = pane;
  if (event.shiftKey) viewer.changeWindow(KEY_WINDOW * across, KEY_WINDOW * down, true);
  else if (viewer.preferences.tool === "ruler") moveCross(pane, across, down);
  else viewer.moveBy(pane, -across * KEY_STEP * size.width, -down * KEY_STEP * size.height);
}

function moveCross(pane, across, down) {
  const { zoom } = pane.place;
  pane.cross ??= pane.middle;
  pane.cross = {
    x: pane.cross.x + (across * KEY_CROSS) / zoom,
    y: pane.cross.y + (down * KEY_CROSS) / zoom,
  };
  if (pane.pending) pane.pending.to = pane.cross;
  pane.draw();
}

function placeByKey(pane) {
  if (pane.viewer.preferences.tool !== "ruler") return;
  pane.cross ??= pane.middle;
  if (pane.pending) pane.finishRuler();
  else pane.pending = { from: pane.cross, to: pane.cross, pressed: null, isFresh: false };
  pane.draw();
}

function leave(pane) {
  if (pane.pending) pane.pending = null;
  else pane.viewer.toggleFull();
  pane.draw();
}
