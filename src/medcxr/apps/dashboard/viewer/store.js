// What is fetched for a viewer: radiographs, and the layers of maps. Nothing goes to the disk.

const KEPT_LAYERS = 12;

class Store {
  constructor(changed) {
    this.changed = changed; // called when something has come or could not come
    this.pictures = new Map(); // address -> Picture
    this.layers = new Map(); // address -> ImageBitmap, null on its way
    this.abort = new AbortController();
  }

  close() {
    this.changed = () => {};
    this.abort.abort();
    this.pictures.clear();
    this.layers.forEach((layer) => layer?.close());
    this.layers.clear();
  }

  // Fetch the radiographs that are new, and let those go that are shown no more.
  fetchPictures(infos) {
    const known = this.pictures;
    this.pictures = new Map();
    for (const info of infos) {
      const picture = known.get(info.url) ?? new Picture(info);
      picture.info = info;
      this.pictures.set(info.url, picture);
      if (!picture.ready && !picture.isOnItsWay) this.fetchPicture(picture);
    }
  }

  async fetchPicture(picture) {
    picture.isOnItsWay = true;
    picture.hasFailed = false;
    try {
      await picture.load(this.abort.signal);
    } catch (error) {
      if (error.name === "AbortError") return;
      picture.hasFailed = true; // another try comes with the next run of the page
    }
    picture.isOnItsWay = false;
    this.changed();
  }

  // Return the layer at an address, or null as long as it is not there.
  layer(url) {
    if (!url) return null;
    if (!this.layers.has(url)) this.fetchLayer(url);
    return this.layers.get(url);
  }

  async fetchLayer(url) {
    this.layers.set(url, null);
    try {
      const reply = await fetched(url, this.abort.signal);
      const layer = await createImageBitmap(await reply.blob());
      if (this.abort.signal.aborted) return;
      this.layers.delete(url);
      this.layers.set(url, layer); // the last one in the order
      this.forgetOldest();
      this.changed();
    } catch (error) {
      if (error.name !== "AbortError") this.layers.delete(url);
    }
  }

  forgetOldest() {
    if (this.layers.size <= KEPT_LAYERS) return;
    const [[url, layer]] = this.layers;
    layer?.close();
    this.layers.delete(url);
  }
}
