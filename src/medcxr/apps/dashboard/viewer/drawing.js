// What is drawn over a radiograph: outlines, widths, areas and rulers, at every zoom as thin as before.

const HALO = "rgba(0, 0, 0, 0.75)"; // so that a line is seen on white too
const SPAN_COLOR = "#ffeb78";
const RULER_COLOR = "#7fe3ff";
const LABEL_FONT = "600 13px sans-serif";
const NAME_ROOM = 24; // screen pixels between two lines, of which each has its name above
const SHARP_FROM = 6; // screen pixels per sample, from which samples are shown as squares

function drawPane(context, pane) {
  const { size, density, picture, place } = pane;
  context.setTransform(density, 0, 0, density, 0, 0);
  context.fillStyle = "#000";
  context.fillRect(0, 0, size.width, size.height);
  if (!picture.ready) return;
  const sampleSize = (place.width / picture.info.columns) * density;
  context.imageSmoothingEnabled = sampleSize < SHARP_FROM;
  context.imageSmoothingQuality = pane.isMoving ? "low" : "high";
  const frame = [place.left, place.top, place.width, place.height];
  context.drawImage(picture.shown(pane.look), ...frame);
  if (pane.layer && pane.opacity > 0) {
    context.imageSmoothingEnabled = true;
    context.globalAlpha = pane.opacity;
    context.drawImage(pane.layer, ...frame);
    context.globalAlpha = 1;
  }
  const at = ([x, y]) => [place.left + x * place.width, place.top + y * place.height];
  for (const line of picture.info.areas) stroke(context, line.map(at), SPAN_COLOR, 2.5);
  if (pane.isOutlined) drawOutlines(context, picture.info, at);
  for (const ruler of pane.rulers) drawRuler(context, ruler, pane);
  if (pane.cross) drawCross(context, pane.toScreen(pane.cross));
}

function drawOutlines(context, info, at) {
  for (const outline of info.outlines) {
    for (const line of outline.lines) stroke(context, line.map(at), outline.color, 1.75);
  }
  for (const span of info.spans) {
    const [left, right] = [at([span.start, span.row]), at([span.stop, span.row])];
    stroke(context, [left, right], SPAN_COLOR, 1.75);
    for (const [x, y] of [left, right]) {
      stroke(context, [[x, y - 6], [x, y + 6]], SPAN_COLOR, 1.75);
    }
    // above its line, or below where the name of a line just above would be
    const above = info.spans.map((other) => left[1] - at([other.start, other.row])[1]);
    const isBelow = above.some((distance) => distance > 0 && distance < NAME_ROOM);
    const y = left[1] + (isBelow ? 11 : -9);
    label(context, span.name, (left[0] + right[0]) / 2, y, SPAN_COLOR, "center");
  }
}

function drawRuler(context, ruler, pane) {
  const [from, to] = [pane.toScreen(ruler.from), pane.toScreen(ruler.to)];
  stroke(context, [from, to], RULER_COLOR, 1.75);
  const [across, down] = [to[0] - from[0], to[1] - from[1]];
  const length = Math.hypot(across, down) || 1;
  const [tickX, tickY] = [(-down / length) * 6, (across / length) * 6];
  for (const [x, y] of [from, to]) {
    stroke(context, [[x - tickX, y - tickY], [x + tickX, y + tickY]], RULER_COLOR, 1.75);
  }
  const [end, other] = to[0] >= from[0] ? [to, from] : [from, to];
  const words = pane.toldShort(ruler);
  context.font = LABEL_FONT;
  const isRoom = end[0] + context.measureText(words).width + 16 < pane.size.width;
  const [x, y] = isRoom ? end : other;
  label(context, words, x + (isRoom ? 9 : -9), y, RULER_COLOR, isRoom ? "left" : "right");
}

function drawCross(context, [x, y]) {
  stroke(context, [[x - 12, y], [x + 12, y]], RULER_COLOR, 1.25);
  stroke(context, [[x, y - 12], [x, y + 12]], RULER_COLOR, 1.25);
}

function stroke(context, points, color, width) {
  context.beginPath();
  points.forEach(([x, y], i) => (i ? context.lineTo(x, y) : context.moveTo(x, y)));
  context.lineJoin = "round";
  for (const [style, thick] of [[HALO, width + 2], [color, width]]) {
    context.strokeStyle = style;
    context.lineWidth = thick;
    context.stroke();
  }
}

function label(context, words, x, y, color, align) {
  context.font = LABEL_FONT;
  context.direction = "inherit";
  context.textAlign = align;
  context.textBaseline = "middle";
  context.lineWidth = 4;
  context.lineJoin = "round";
  context.strokeStyle = "rgba(0, 0, 0, 0.85)";
  context.strokeText(words, x, y);
  context.fillStyle = color;
  context.fillText(words, x, y);
}
