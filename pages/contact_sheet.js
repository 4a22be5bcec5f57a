"use strict";
// The faces of the page: drawn a few at a time, so that thousands open at once; pictures are decoded when they come near
// the screen. All text is set as text: names and paths come from outside.

const { faces, reviewable } = JSON.parse(document.getElementById("data").textContent);
const place = document.getElementById("faces");
const said = new Map(); // face -> decision
const cards = new Map(); // face -> its card, once it was drawn
const A_FRAME = 24; // cards that are drawn before the browser may do something else
const DECISIONS = ["match", "review", "unknown", "too_small"];
const SAY = [["confirm", "Confirm", "c"], ["reject", "Reject", "x"], ["unsure", "Unsure", "u"]];

function made(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "text") element.textContent = value;
    else if (value !== null && value !== undefined) element.setAttribute(key, value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

// --- a card -----------------------------------------------------------------------------------------------------

const near = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    if (!entry.isIntersecting) continue;
    load(entry.target);
    near.unobserve(entry.target);
  }
}, { rootMargin: "600px" });

function load(card) {
  for (const image of card.querySelectorAll("img[data-key]")) {
    image.src = "data:image/jpeg;base64," + document.getElementById(image.dataset.key).textContent;
    image.alt = image.dataset.alt;
    image.removeAttribute("data-key");
  }
}

function picture(key, why, caption) {
  const shown = key
    ? made("img", { class: "picture", "data-key": key, "data-alt": caption, alt: "", decoding: "async" })
    : made("div", { class: "picture", text: why });
  return made("figure", {}, shown, made("figcaption", { text: caption, title: caption }));
}

function percent(value) {
  return `${Math.max(0, Math.min(1, value)) * 100}%`;
}

function bar(face) {
  if (face.score === null) return null;
  const line = made("div", { class: `bar ${face.decision}` }, made("span", { style: `width:${percent(face.score)}` }));
  if (face.review_threshold !== null) line.append(made("i", { class: "lower", style: `left:${percent(face.review_threshold)}`, title: `review from ${face.review_threshold.toFixed(4)}` }));
  if (face.threshold !== null) line.append(made("i", { style: `left:${percent(face.threshold)}`, title: `match from ${face.threshold.toFixed(4)}` }));
  return line;
}

function drawn(face) {
  const known = cards.get(face);
  if (known) return known;
  const card = made("article", { class: "face", tabindex: "0", "aria-label": `${face.who || "nobody"}, ${face.word}` });
  card.append(
    made("div", { class: "pair" },
      picture(face.picture, face.why, face.image), picture(face.other_picture, face.other_why, face.other)),
    made("div", { class: "who" },
      made("b", { text: face.who || "nobody", title: face.who }), made("span", { class: `tag ${face.decision}`, text: face.word })),
  );
  const line = bar(face);
  if (line) card.append(line);
  for (const fact of face.facts) card.append(made("div", { class: "facts", text: fact }));
  card.append(made("div", { class: "facts", text: face.uri, title: face.face_id }));
  if (reviewable && face.person_id) {
    card.append(made("div", { class: "say" }, ...SAY.map(([decision, word, key]) => {
      const button = made("button", { type: "button", "aria-pressed": "false", "data-say": decision, title: key, text: word });
      button.addEventListener("click", () => say(face, decision));
      return button;
    })));
  }
  card.face = face;
  cards.set(face, card);
  near.observe(card);
  return card;
}

// --- decisions ----------------------------------------------------------------------------------------------------

function say(face, decision) {
  if (!reviewable || !face.person_id) return;
  if (said.get(face) === decision) said.delete(face);
  else said.set(face, decision);
  for (const button of cards.get(face).querySelectorAll("[data-say]")) {
    button.setAttribute("aria-pressed", String(button.dataset.say === said.get(face)));
  }
  const save = document.getElementById("export");
  save.disabled = said.size === 0;
  save.textContent = said.size ? `Save ${said.size} decision${said.size > 1 ? "s" : ""}` : "Save decisions";
  unsaved = said.size > 0;
}

let unsaved = false;
window.addEventListener("beforeunload", (event) => { if (unsaved) event.preventDefault(); });

// Text that begins like a formula gets an apostrophe, which rollcall review takes away: see udfs/cells.py.
function cell(text) {
  if (/^'*[=+\-@\t\r\n]/.test(text)) text = `'${text}`;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function csv() {
  const by = document.getElementById("by").value.trim();
  const rows = [["face_id", "person_id", "gallery_name", "decision", "reviewed_by"]];
  for (const [face, decision] of said) rows.push([face.face_id, face.person_id, face.gallery_name, decision, by]);
  return rows.map((row) => row.map(cell).join(",") + "\r\n").join("");
}

function save() {
  const link = made("a", { download: "decisions.csv", href: "data:text/csv;charset=utf-8," + encodeURIComponent(csv()) });
  link.click();
  unsaved = false;
}

// --- what is shown, and in which order ----------------------------------------------------------------------------------

const wanted = { text: "", decision: "", source: "", sort: "group" };
const least = (value) => (value === null ? -2 : value);
const ORDERS = {
  group: (a, b) => (a.named === b.named ? 0 : a.named ? -1 : 1) || a.group.localeCompare(b.group) || b.weight - a.weight || least(b.score) - least(a.score),
  highest: (a, b) => least(b.score) - least(a.score),
  lowest: (a, b) => least(a.score) - least(b.score),
  nearest: (a, b) => distance(a) - distance(b),
  time: (a, b) => a.time.localeCompare(b.time),
};

function distance(face) {
  return face.score === null || face.threshold === null ? 9 : Math.abs(face.score - face.threshold);
}

function chosen() {
  const words = wanted.text.toLowerCase().split(/\s+/).filter(Boolean);
  const kept = faces.filter((face) =>
    (!wanted.decision || face.decision === wanted.decision) &&
    (!wanted.source || face.source === wanted.source) &&
    words.every((word) => face.text.includes(word)));
  return kept.map((face, at) => [face, at]).sort(([a, i], [b, j]) => ORDERS[wanted.sort](a, b) || i - j).map(([face]) => face);
}

let turn = 0;
function show() {
  const mine = ++turn;
  const list = chosen();
  const counts = new Map();
  for (const face of list) counts.set(face.group, (counts.get(face.group) || 0) + 1);
  document.getElementById("shown").textContent =
    list.length === faces.length ? `${faces.length.toLocaleString("en")} faces` : `${list.length.toLocaleString("en")} of ${faces.length.toLocaleString("en")} faces`;
  place.replaceChildren();
  if (!list.length) place.append(made("p", { class: "none", text: faces.length ? "No face fits. Clear the search or choose another decision." : "There are no faces to show." }));
  let at = 0, grid = null, group = null;
  const some = (most) => {
    for (const end = Math.min(at + most, list.length); at < end; at++) {
      const face = list[at];
      if (grid === null || (wanted.sort === "group" && face.group !== group)) {
        group = face.group;
        if (wanted.sort === "group") place.append(made("h2", { text: group }, made("span", { class: "count", text: counts.get(group).toLocaleString("en") })));
        grid = place.appendChild(made("div", { class: "grid" }));
      }
      grid.append(drawn(face));
    }
    return at < list.length;
  };
  const on = () => { if (mine === turn && some(A_FRAME)) requestAnimationFrame(on); };
  on();
  finish = () => { some(list.length); for (const card of place.querySelectorAll(".face")) load(card); };
}
let finish = () => {};
window.addEventListener("beforeprint", () => finish());

function options() {
  const counts = new Map();
  for (const face of faces) counts.set(face.decision, (counts.get(face.decision) || 0) + 1);
  const chips = document.getElementById("decisions");
  for (const decision of ["", ...DECISIONS.filter((name) => counts.has(name))]) {
    const word = decision ? `${decision.replace("_", " ")} ${counts.get(decision).toLocaleString("en")}` : "all";
    const chip = made("button", { type: "button", "aria-pressed": String(!decision), text: word });
    chip.addEventListener("click", () => {
      wanted.decision = decision;
      for (const other of chips.children) other.setAttribute("aria-pressed", String(other === chip));
      show();
    });
    chips.append(chip, " ");
  }
  const source = document.getElementById("source");
  source.append(made("option", { value: "", text: "all" }));
  for (const name of [...new Set(faces.map((face) => face.source))].filter(Boolean).sort()) source.append(made("option", { value: name, text: name }));
  source.parentElement.hidden = source.children.length < 3;
}

// --- keys -------------------------------------------------------------------------------------------------------------

function moved(by) {
  const shown = [...place.querySelectorAll(".face")];
  const at = shown.indexOf(document.activeElement.closest?.(".face"));
  const next = shown[at < 0 ? 0 : Math.max(0, Math.min(shown.length - 1, at + by))];
  if (next) { next.focus({ preventScroll: true }); next.scrollIntoView({ block: "nearest" }); }
}

document.addEventListener("keydown", (event) => {
  const search = document.getElementById("search");
  if (event.key === "Escape" && document.activeElement === search) { search.blur(); return; }
  if (event.target.matches("input, select, textarea") || event.ctrlKey || event.metaKey || event.altKey) return;
  const card = document.activeElement.closest?.(".face");
  const key = event.key;
  const decision = SAY.find(([, , letter]) => letter === key);
  if (key === "j" || key === "ArrowRight" || key === "ArrowDown") moved(1);
  else if (key === "k" || key === "ArrowLeft" || key === "ArrowUp") moved(-1);
  else if (key === "/") search.focus();
  else if (key === "?") document.getElementById("keys").showModal();
  else if (decision && card) say(card.face, decision[0]);
  else return;
  event.preventDefault();
});

let typing = 0;
document.getElementById("search").addEventListener("input", (event) => {
  clearTimeout(typing);
  typing = setTimeout(() => { wanted.text = event.target.value; show(); }, 120);
});
document.getElementById("source").addEventListener("change", (event) => { wanted.source = event.target.value; show(); });
document.getElementById("sort").addEventListener("change", (event) => { wanted.sort = event.target.value; show(); });
document.getElementById("help").addEventListener("click", () => document.getElementById("keys").showModal());
document.getElementById("export")?.addEventListener("click", save);
document.getElementById("blackout")?.addEventListener("click", (event) => {
  const hidden = document.body.classList.toggle("blackout");
  event.target.setAttribute("aria-pressed", String(hidden));
});
for (const face of faces) {
  face.text = [face.who, face.uri, face.image, face.source, face.case_id, face.face_id, face.person_id, face.word, ...face.facts].join(" ").toLowerCase();
}
options();
show();
