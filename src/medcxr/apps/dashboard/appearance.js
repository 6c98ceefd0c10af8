(known) => {
  const page = document.documentElement;
  page.lang = known.language;
  page.dir = known.direction;
  for (const [name, value] of Object.entries(known.cookies)) {
    document.cookie = `${name}=${value}; path=/; max-age=31536000; SameSite=Strict`;
  }
  // Streamlit's own memory of the theme, of each page that may be loaded first.
  const keep = () => {
    for (const path of known.paths) {
      localStorage.setItem(`stActiveTheme-/${path}-v2`, JSON.stringify(known.keptTheme));
    }
  };
  keep();
  const isShown = () => {
    const app = document.querySelector('[data-testid="stApp"]');
    return app !== null && getComputedStyle(app).backgroundColor === known.background;
  };
  if (isShown()) return;
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
