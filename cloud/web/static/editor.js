// While somebody writes a document: what it looks like is drawn again after each change, one request at a time, and the
// boxes of a layout may be moved over it with the mouse and the arrow keys. What a form means only the server knows:
// each request is the form itself, and of the page that comes back the parts that are shown are taken.
const SETTLE_MS = 350;   // without a change, before it is drawn again
const STEP = 1;          // percent that an arrow key moves
const KEYS = { ArrowLeft: ["x", "w", -1], ArrowRight: ["x", "w", 1], ArrowUp: ["y", "h", -1], ArrowDown: ["y", "h", 1] };
const STAYS = /^(look|(up|down|copy|remove|add):)/;

const form = document.querySelector("form[data-editor]");
const writing = form.querySelector("fieldset.write");
let unsaved = "unsaved" in form.dataset, sending = null, timer = 0, again = false, leaving = false;

// --- asking the server

function failed() {
  const said = document.createElement("p");
  said.className = "banner bad";
  said.textContent = form.dataset.failed;
  document.getElementById("drawn").prepend(said);
}

async function ask(act, parts) {
  const fields = new URLSearchParams(new FormData(form));
  fields.set("act", act);
  try {
    const answer = await fetch(form.getAttribute("action"), { method: "POST", body: fields, credentials: "same-origin" });
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (!fresh.getElementById("drawn")) return failed();
    for (const id of parts) swap(id, fresh);
    if (!parts.includes("rows")) {
      for (const notes of document.querySelectorAll("#rows .notes")) swap(notes.id, fresh);
    }
  } catch {
    if (!leaving) failed();
  }
  boxes();
}

function swap(id, fresh) {
  const old = document.getElementById(id), now = fresh.getElementById(id);
  if (old && now) old.replaceChildren(...document.adoptNode(now).childNodes);
}

async function draw() {
  if (sending) return void (again = true);
  again = false;
  sending = ask("look", ["drawn", "lists"]);
  await sending;
  sending = null;
  if (again) draw();
}

function soon() {
  clearTimeout(timer);
  timer = setTimeout(draw, SETTLE_MS);
}

async function rows(act) {
  clearTimeout(timer);
  while (sending) await sending;
  writing.inert = true;  // what is typed in between would be lost
  sending = ask(act, ["drawn", "rows", "lists"]);
  await sending;
  sending = null;
  writing.inert = false;
  unsaved = true;
  const [what, of] = act.split(":"), last = document.querySelectorAll("#rows .element").length - 1;
  const at = { up: Number(of) - 1, down: Number(of) + 1, copy: Number(of) + 1, remove: Math.min(Number(of), last) }[what] ?? last;
  const element = document.getElementById("e" + at);
  if (!element) return;
  const same = element.querySelector(`button[value="${what}:${at}"]:not(:disabled)`);
  (same || element.querySelector("input:not([type=hidden]), select, textarea, button:not(:disabled)")).focus();
  element.scrollIntoView({ block: "nearest" });
}

form.addEventListener("submit", (event) => {
  const act = event.submitter?.value || "save";
  if (!STAYS.test(act)) return void (leaving = true);
  event.preventDefault();
  if (act === "look") draw();
  else rows(act);
});

form.addEventListener("input", (event) => {
  if (event.target.closest(".write")) unsaved = true;
  if (event.target.dataset.side) place(event.target.closest("[data-element]").dataset.element);
  soon();
});

addEventListener("beforeunload", (event) => {
  if (unsaved && !leaving) event.preventDefault();
});

// --- boxes over the picture

const field = (number, side) => form.elements[`r:${number}:box:${side}`];
const value = (number, side) => Number(field(number, side)?.value) || 0;
const boxOf = (number) => document.querySelector(`.box-of[data-of="${number}"]`);

function boxes() {
  const screen = document.querySelector("[data-screen]");
  if (!screen || writing.disabled) return;
  const focused = document.activeElement.dataset?.of;
  for (const old of screen.querySelectorAll(".box-of")) old.remove();
  for (const element of document.querySelectorAll("#rows [data-element]")) {
    const number = element.dataset.element, box = document.createElement("div");
    if (!field(number, "x")) continue;
    box.className = "box-of";
    box.dataset.of = number;
    box.tabIndex = 0;
    box.setAttribute("role", "group");
    box.setAttribute("aria-label", form.dataset.moves.replace("{number}", `${element.querySelector("legend").textContent}`));
    box.append(Object.assign(document.createElement("span"), { className: "grip" }));
    screen.append(box);
    place(number);
  }
  boxOf(focused)?.focus({ preventScroll: true });
}

function place(number) {
  const box = boxOf(number);
  if (!box) return;
  const percent = (side) => value(number, side) + "%";
  Object.assign(box.style, { left: percent("x"), top: percent("y"), width: percent("w"), height: percent("h") });
}

function put(number, sides) {
  for (const [side, wanted] of Object.entries(sides)) {
    const other = { x: "w", y: "h", w: "x", h: "y" }[side];
    const least = side === "w" || side === "h" ? 1 : 0;
    const fits = Math.max(least, Math.min(wanted, 100 - (sides[other] ?? value(number, other))));
    field(number, side).value = Math.round(fits * 10) / 10;
  }
  unsaved = true;
  place(number);
}

addEventListener("keydown", (event) => {
  const number = document.activeElement.dataset?.of, key = KEYS[event.key];
  if (number === undefined) return;
  if (event.key === "Enter") {
    event.preventDefault();
    return document.querySelector(`#e${number} :is(input:not([type=hidden]), textarea, select)`).focus();
  }
  if (!key) return;
  event.preventDefault();
  const side = event.shiftKey ? key[1] : key[0];
  put(number, { [side]: value(number, side) + key[2] * STEP });
  soon();
});

addEventListener("pointerdown", (event) => {
  const box = event.target.closest?.(".box-of");
  if (!box || event.button) return;
  event.preventDefault();
  box.focus({ preventScroll: true });
  const number = box.dataset.of, screen = box.parentElement.getBoundingClientRect();
  const grip = event.target.matches(".grip"), sides = grip ? ["w", "h"] : ["x", "y"];
  const began = sides.map((side) => value(number, side));
  const moved = (to) => put(number, {
    [sides[0]]: began[0] + 100 * (to.clientX - event.clientX) / screen.width,
    [sides[1]]: began[1] + 100 * (to.clientY - event.clientY) / screen.height,
  });
  const over = () => {
    removeEventListener("pointermove", moved);
    removeEventListener("pointerup", over);
    removeEventListener("pointercancel", over);
    soon();
  };
  addEventListener("pointermove", moved);
  addEventListener("pointerup", over);
  addEventListener("pointercancel", over);
});

function point(event) {  // the box and the fields of an element belong together
  const number = event.target.closest?.("[data-element]")?.dataset.element ?? event.target.dataset?.of;
  for (const each of document.querySelectorAll(".box-of, .element")) {
    each.classList.toggle("pointed", number !== undefined && (each.dataset.of ?? each.dataset.element) === number);
  }
}

addEventListener("focusin", point);
boxes();
