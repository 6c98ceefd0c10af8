// A radiograph's samples, and the gray picture that a window makes of them.

const LEVELS = 65536;
const KEPT_PICTURES = 2; // so that two panes with one radiograph in two windows do not take turns

class Picture {
  constructor(info) {
    this.info = info;
    this.samples = null;
    this.made = []; // {key, canvas}, the latest first
  }

  get ready() {
    return this.samples !== null;
  }

  async load(signal) {
    const reply = await fetched(this.info.url, signal);
    const samples = new Uint16Array(await reply.arrayBuffer());
    if (samples.length !== this.info.rows * this.info.columns) {
      throw new Error("The radiograph arrived incomplete.");
    }
    this.samples = samples;
  }

  // Return a canvas with the samples through a window: black and white in units of the pixels.
  shown(look) {
    const key = `${look.black} ${look.white} ${look.inverted}`;
    const known = this.made.find((one) => one.key === key);
    if (known) return known.canvas;
    const { rows, columns } = this.info;
    const canvas =
      this.made.length < KEPT_PICTURES ? document.createElement("canvas") : this.made.pop().canvas;
    canvas.width = columns;
    canvas.height = rows;
    const context = canvas.getContext("2d", { alpha: false });
    this.image ??= new ImageData(columns, rows); // made once: it is large
    const table = this.table(look);
    const out = new Uint32Array(this.image.data.buffer);
    const samples = this.samples;
    for (let i = 0; i < samples.length; i += 1) out[i] = table[samples[i]];
    context.putImageData(this.image, 0, 0);
    this.made.unshift({ key, canvas });
    return canvas;
  }

  // Return what each sample looks like, as opaque gray.
  table(look) {
    const { least, greatest } = this.info;
    const step = (greatest - least) / (LEVELS - 1);
    const slope = 255 / Math.max(look.white - look.black, 1e-9);
    const table = new Uint32Array(LEVELS);
    for (let sample = 0; sample < LEVELS; sample += 1) {
      const share = (least + sample * step - look.black) * slope;
      const bright = Math.round(Math.min(Math.max(share, 0), 255));
      const gray = look.inverted ? 255 - bright : bright;
      table[sample] = (0xff000000 | (gray << 16) | (gray << 8) | gray) >>> 0;
    }
    return table;
  }

  // Return the file's value at a point of the original, or null outside.
  valueAt(x, y) {
    const { rows, columns, originalRows, originalColumns, least, greatest } = this.info;
    const row = Math.floor((y * rows) / originalRows);
    const column = Math.floor((x * columns) / originalColumns);
    if (!this.ready || row < 0 || column < 0 || row >= rows || column >= columns) return null;
    const share = this.samples[row * columns + column] / (LEVELS - 1);
    return this.inFile(least + share * (greatest - least));
  }

  // Return what a pixel stands for in the file; in percent of white where the file states no line.
  inFile(pixel) {
    const { atZero, atOne } = this.info;
    return atZero === null ? 100 * pixel : atZero + pixel * (atOne - atZero);
  }

  // Return the length of a line between two points of the original: {value, unit}.
  length(from, to) {
    const { spacing, plane } = this.info;
    if (!spacing) return { value: Math.hypot(to.x - from.x, to.y - from.y), unit: "pixels" };
    const value = Math.hypot((to.x - from.x) * spacing[1], (to.y - from.y) * spacing[0]);
    return { value, unit: plane };
  }
}
