(known) => {
  const page = document.documentElement;
  page.lang = known.language;
  page.dir = known.direction;
  // Streamlit's sliders follow the browser's language, whatever the page's is.
  const locale = new Intl.Locale(navigator.language);
  const info = locale.getTextInfo ? locale.getTextInfo() : locale.textInfo;
  page.dataset.browserDirection = info?.direction ?? "ltr";

  // The name that browsers take from this very host, and encrypted, alone; Python knows both.
  const isSecure = window.location.protocol === "https:";
  const [prefix, secure] = isSecure ? ["__Host-", "; Secure"] : ["", ""];
  for (const [name, value] of Object.entries(known.cookies)) {
    document.cookie = `${prefix}${name}=${value}; path=/; max-age=31536000; SameSite=Strict${secure}`;
  }

  // Streamlit's own memory of the theme, of each page that may be loaded first.
  const keep = () => {
    for (const path of known.paths) {
      localStorage.setItem(`stActiveTheme-/${path}-v2`, JSON.stringify(known.keptTheme));
    }
  };
  const isShown = () => {
    const app = document.querySelector('[data-testid="stApp"]');
    return app !== null && getComputedStyle(app).backgroundColor === known.background;
  };
  keep();
  if (!isShown()) {
    const base = known.theme === "dark" ? 1 : 0;
    const themeInfo = { ...known.colors, base, baseRadius: "0.4rem", showSidebarBorder: true };
    const message = { stCommVersion: 1, type: "SET_CUSTOM_THEME_CONFIG", themeInfo };
    window.postMessage(message, window.location.origin);
    // Streamlit has then noted a theme without a name.
    const waiting = setInterval(() => {
      if (!isShown()) return;
      clearInterval(waiting);
      keep();
    }, 100);
    setTimeout(() => clearInterval(waiting), 5000);
  }

  // Streamlit's own words. What it wrote is remembered, for the next language.
  const state = (window.medcxrWords ??= { written: new WeakMap() });
  const named = Object.entries(known.words).filter(([words]) => words.includes("{name}"));
  const told = (words) => {
    const plain = words.trim();
    if (Object.hasOwn(known.words, plain)) return known.words[plain];
    for (const [pattern, other] of named) {
      const [before, after] = pattern.split("{name}");
      const fits = plain.startsWith(before) && plain.endsWith(after);
      if (fits && plain.length > before.length + after.length) {
        const name = plain.slice(before.length, plain.length - after.length);
        return other.replace("{name}", () => name);
      }
    }
    return words;
  };
  const say = (owner, place, words, write) => {
    const places = state.written.get(owner) ?? {};
    const own = places[place]?.told === words ? places[place].own : words;
    const now = told(own);
    if (now === words) return;
    state.written.set(owner, { ...places, [place]: { own, told: now } });
    write(now);
  };
  const ATTRIBUTES = ["aria-label", "title", "placeholder"];
  const OWN = [
    "stFileUploaderDropzone", "InputInstructions", "stStatusWidget", "stSelectboxVirtualDropdown",
    "stSkipToContent",
  ].map((id) => `[data-testid="${id}"]`).join(",");
  const sayElement = (element) => {
    for (const name of ATTRIBUTES) {
      const words = element.getAttribute(name);
      if (words) say(element, name, words, (now) => element.setAttribute(name, now));
    }
    const isEnglish = String(element.className).includes("st-key-english");
    if (isEnglish) [element.lang, element.dir] = ["en", "ltr"];
  };
  const sayText = (node) => {
    const owner = node.parentElement;
    if (!owner?.closest(OWN) || owner.closest('[data-testid="stFileChipName"]')) return;
    if (owner.matches('[data-testid="stIconMaterial"]')) return; // the name of a picture
    say(node, "text", node.nodeValue, (now) => { node.nodeValue = now; });
  };
  const sayAll = (root) => {
    if (root.nodeType === Node.TEXT_NODE) return sayText(root);
    if (root.nodeType !== Node.ELEMENT_NODE) return undefined;
    sayElement(root);
    root.querySelectorAll("*").forEach(sayElement);
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) sayText(walker.currentNode);
    return undefined;
  };
  state.observer?.disconnect();
  sayAll(document.body);
  state.observer = new MutationObserver((changes) => {
    for (const change of changes) {
      if (change.type === "childList") change.addedNodes.forEach(sayAll);
      else if (change.type === "attributes") sayElement(change.target);
      else sayText(change.target);
    }
  });
  state.observer.observe(document.body, {
    subtree: true,
    childList: true,
    characterData: true,
    attributes: true,
    attributeFilter: [...ATTRIBUTES, "class"],
  });
}
