// Small pieces of the page: elements, icons and texts with values in them.

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === true) made.setAttribute(key, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

// Fill values into a text: "{value} mm" with {value: 12} is "12 mm".
function fill(words, values) {
  return words.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? values[name] : whole));
}

const SVG = "http://www.w3.org/2000/svg";
const ICONS = {
  pan: "M12 3v18M3 12h18M12 3l-2.5 2.5M12 3l2.5 2.5M12 21l-2.5-2.5M12 21l2.5-2.5M3 12l2.5-2.5M3 12l2.5 2.5M21 12l-2.5-2.5M21 12l-2.5 2.5",
  window: "M12 3a9 9 0 1 0 0 18a9 9 0 1 0 0-18zM12 3v18M12 6h4.5M12 9h7M12 12h9M12 15h7M12 18h4.5",
  ruler: "M3 16.5L16.5 3L21 7.5L7.5 21zM7 12.5l2 2M10 9.5l3 3M13 6.5l2 2",
  smaller: "M10.5 4a6.5 6.5 0 1 0 0 13a6.5 6.5 0 1 0 0-13zM15.5 15.5L21 21M7.5 10.5h6",
  larger: "M10.5 4a6.5 6.5 0 1 0 0 13a6.5 6.5 0 1 0 0-13zM15.5 15.5L21 21M7.5 10.5h6M10.5 7.5v6",
  fit: "M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5M8.5 8.5h7v7h-7z",
  invert: "M4 4h16v16H4zM12 4v16M12 7h5M12 10.5h5M12 14h5M12 17h5",
  reset: "M5 12a7 7 0 1 0 2.3-5.2M7.5 3v4h4",
  outlines: "M10 5c-3.5 0-6 5-6 13c2 1.5 5 1 6-0.5zM14 5c3.5 0 6 5 6 13c-2 1.5-5 1-6-0.5z",
  map: "M12 3s6.5 7 6.5 11.5a6.5 6.5 0 0 1-13 0C5.5 10 12 3 12 3zM12 13v4.5",
  link: "M10 14a4 4 0 0 0 5.6 0l3-3a4 4 0 0 0-5.6-5.6l-1.2 1.2M14 10a4 4 0 0 0-5.6 0l-3 3a4 4 0 0 0 5.6 5.6l1.2-1.2",
  clear: "M4 7h16M9 7V4h6v3M6.5 7l1 13h9l1-13M10 11v5.5M14 11v5.5",
  full: "M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5",
  help: "M9 9a3 3 0 1 1 4.5 2.6c-1 .6-1.5 1.2-1.5 2.400M12 17.5v.5M12 3a9 9 0 1 0 0 18a9 9 0 1 0 0-18z",
};

function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  for (const [key, value] of Object.entries({
    viewBox: "0 0 24 24",
    "aria-hidden": "true",
    focusable: "false",
  })) {
    svg.setAttribute(key, value);
  }
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}
