// Returns every visible text whose contrast with its background is under WCAG 2.2's 1.4.3.
() => {
  const parse = (text) => {
    const parts = text.match(/[\d.]+/g).map(Number);
    const scale = text.startsWith("color(") ? 255 : 1;
    return [parts[0] * scale, parts[1] * scale, parts[2] * scale, parts.length > 3 ? parts[3] : 1];
  };
  const over = (front, back) =>
    [0, 1, 2].map((i) => front[i] * front[3] + back[i] * (1 - front[3])).concat(1);
  const parentOf = (element) => element.parentElement ?? element.getRootNode().host;
  const app = document.querySelector('[data-testid="stApp"]');
  // An ancestor that the text is placed outside of, as a slider's value is, lies not behind it.
  const background = (element, x, y) => {
    if (!element) return parse(getComputedStyle(app).backgroundColor);
    const box = element.getBoundingClientRect();
    const behind = x >= box.left && x <= box.right && y >= box.top && y <= box.bottom;
    const own = behind ? parse(getComputedStyle(element).backgroundColor) : [0, 0, 0, 0];
    return own[3] >= 1 ? own : over(own, background(parentOf(element), x, y));
  };
  const luminance = (color) => {
    const [r, g, b] = color.slice(0, 3).map((v) => {
      const s = v / 255;
      return s <= 0.04045 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const roots = [document.body];
  const texts = [];
  for (const root of roots) {
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT);
    while (walker.nextNode()) {
      if (walker.currentNode.shadowRoot) roots.push(walker.currentNode.shadowRoot);
      if (walker.currentNode.nodeType === Node.TEXT_NODE) texts.push(walker.currentNode);
    }
  }
  const poor = [];
  for (const node of texts) {
    const text = node.textContent.trim();
    const element = node.parentElement;
    if (!element) continue;
    if (!text || !element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
    if (["STYLE", "SCRIPT", "NOSCRIPT"].includes(element.tagName)) continue;
    const style = getComputedStyle(element);
    const place = element.getBoundingClientRect();
    const back = background(element, place.x + place.width / 2, place.y + place.height / 2);
    const front = over(parse(style.color), back);
    const [light, dark] = [luminance(front), luminance(back)].sort((a, b) => b - a);
    const ratio = (light + 0.05) / (dark + 0.05);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    if (ratio < (large ? 3 : 4.5)) poor.push(`${ratio.toFixed(2)} ${text.slice(0, 60)}`);
  }
  return poor;
}
