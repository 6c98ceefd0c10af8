// Where a pane looks: how much larger than fitted, and which point of the radiograph is in its middle.

const MOST_ENLARGED = 24; // screen pixels per pixel of the radiograph
const LEAST_SCALE = 0.5; // of the fitted size

class Camera {
  constructor() {
    this.fit();
  }

  fit() {
    this.scale = 1;
    this.x = 0.5; // of the width
    this.y = 0.5; // of the height
  }

  copy(other) {
    this.scale = other.scale;
    this.x = other.x;
    this.y = other.y;
  }

  // Return how the original's pixels come onto a pane of this size, in CSS pixels.
  place(size, info) {
    const fitted = Math.min(size.width / info.originalColumns, size.height / info.originalRows);
    const zoom = fitted * this.scale;
    return {
      zoom,
      fitted,
      left: size.width / 2 - this.x * info.originalColumns * zoom,
      top: size.height / 2 - this.y * info.originalRows * zoom,
      width: info.originalColumns * zoom,
      height: info.originalRows * zoom,
    };
  }

  // Enlarge by a factor; the point of the radiograph at (x, y) of the pane stays where it is.
  zoomAt(factor, x, y, size, info) {
    const before = this.place(size, info);
    const most = Math.max(MOST_ENLARGED / before.fitted, 1);
    this.scale = Math.min(Math.max(this.scale * factor, LEAST_SCALE), most);
    const point = { x: (x - before.left) / before.width, y: (y - before.top) / before.height };
    const after = this.place(size, info);
    this.x = point.x - (x - size.width / 2) / after.width;
    this.y = point.y - (y - size.height / 2) / after.height;
    this.keepInSight();
  }

  // Show one pixel of the radiograph in one of the screen.
  toOriginalSize(size, info, density) {
    const { fitted } = this.place(size, info);
    this.scale = Math.max(1 / density / fitted, LEAST_SCALE);
  }

  // Move the radiograph by so many CSS pixels.
  moveBy(across, down, size, info) {
    const place = this.place(size, info);
    this.x -= across / place.width;
    this.y -= down / place.height;
    this.keepInSight();
  }

  keepInSight() {
    this.x = Math.min(Math.max(this.x, 0), 1);
    this.y = Math.min(Math.max(this.y, 0), 1);
  }
}
