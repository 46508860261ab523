// Keeps a page as it is now: whenever something it shows has changed, the page is fetched again and the parts marked
// `data-live` become what they are there. Elements stay the same ones, so that what somebody points at, has marked,
// opened or half filled in stays his. Without this script pages are whole, and are reloaded by the browser.
"use strict";

const SOON_MS = 1000;         // no oftener than this is the page fetched,
const SHARE = 20;             // nor than this many times as long as the last time took
const ANYWAY_MS = 15000;      // ages grow though nothing happens
const ANSWER_MS = 20000;      // whoever takes longer does not answer
const AGAIN_MS = 1000;        // after a failure; twice as long after each further one
const AGAIN_MOST_MS = 16000;

const body = document.body, lost = document.getElementById("lost"), shown = Number(body.dataset.status);
let at = body.dataset.at, due = false, fetching = false, leaving = false, failures = 0;
let notBefore = Date.now() + SOON_MS, anyway = Date.now() + ANYWAY_MS;
let source = null, deaf = 0, listenAt = 0;

// --- saying that the centre is away

function away(said) {
  const clock = () => new Date(at).toLocaleTimeString(document.documentElement.lang, { hourCycle: "h23" });
  const text = said && said.replace("{time}", clock);
  if (said && lost.textContent !== text) lost.textContent = text;
  lost.hidden = !said;
  body.classList.toggle("stale", Boolean(said));
}

function pause(times) {  // everybody comes back at another moment
  return Math.min(AGAIN_MOST_MS, AGAIN_MS * 2 ** times) * (0.5 + Math.random());
}

// --- becoming what the page is now

function changed(field) {  // by somebody, since it came
  if (field.matches("[type=checkbox], [type=radio]")) return field.checked !== field.defaultChecked;
  if (field.matches("select")) {
    const first = [...field.options].findIndex((option) => option.defaultSelected);
    return field.selectedIndex !== Math.max(0, first);
  }
  return field.matches("input, textarea") && field.value !== field.defaultValue;
}

function filling(element) {  // somebody is at it
  if (!element.matches("form, input, select, textarea")) return false;
  const fields = element.matches("form") ? [...element.elements] : [element];
  return fields.some((field) => changed(field)
    || field === document.activeElement && field.matches("input, select, textarea"));
}

function become(old, now) {
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.data !== now.data) old.data = now.data;
    return;
  }
  if (filling(old)) return;
  const own = old.matches("details") ? "open" : "";
  for (const { name, value } of now.attributes) {
    if (name !== own && old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  for (const { name } of [...old.attributes]) {
    if (name !== own && !now.hasAttribute(name)) old.removeAttribute(name);
  }
  let place = old.firstChild;
  const named = new Map([...old.children].filter((child) => child.id).map((child) => [child.id, child]));
  for (const wanted of [...now.childNodes]) {
    const alike = place && place.nodeName === wanted.nodeName && (place.id || "") === (wanted.id || "");
    const found = alike ? place : wanted.id && named.get(wanted.id);
    if (found === place && place) place = place.nextSibling;
    else old.insertBefore(found || document.adoptNode(wanted), place);
    if (found) become(found, wanted);
  }
  while (place) {
    const rest = place;
    place = place.nextSibling;
    rest.remove();
  }
}

function show(fresh) {
  const focused = document.activeElement;
  at = fresh.body.dataset.at;
  for (const part of document.querySelectorAll("[data-live]")) {
    const within = part.parentElement.closest("[data-live]");  // it has become what it is with that one
    const now = !within && fresh.getElementById(part.id);
    if (now) become(part, now);
  }
  if (focused.isConnected && document.activeElement !== focused) focused.focus({ preventScroll: true });
  if (fresh.title !== document.title) document.title = fresh.title;
}

// --- when

async function refresh() {
  const began = Date.now();
  let cannot = lost.dataset.lost;
  fetching = true; due = false;
  try {
    const signal = AbortSignal.timeout(ANSWER_MS);
    const answer = await fetch(location.href, { cache: "no-cache", credentials: "same-origin", signal });
    const text = await answer.text();
    if (answer.status >= 500 || answer.status === 429) {
      cannot = lost.dataset.cannot;
      throw new Error(answer.status);
    }
    if (answer.redirected || answer.status !== shown) return void location.reload();  // logged out, or gone, or back
    show(new DOMParser().parseFromString(text, "text/html"));
    away("");
    const took = Date.now() - began;
    failures = 0;
    notBefore = Date.now() + Math.max(SOON_MS, SHARE * took);
    anyway = Math.max(notBefore, Date.now() + ANYWAY_MS * (0.9 + 0.2 * Math.random()));
  } catch {
    if (leaving) return;
    if (shown < 500) away(cannot);
    notBefore = anyway = Date.now() + pause(failures++);
  } finally {
    fetching = false;
  }
}

function listen() {
  const { topics, site, device } = body.dataset;
  const query = new URLSearchParams({ topics, ...(site && { site }), ...(device && { device }) });
  source = new EventSource("/v1/events?" + query);
  for (const topic of topics.split(",")) source.addEventListener(topic, () => { due = true; });
  source.onopen = () => { deaf = 0; due = true; };
  source.onerror = () => {  // whether the centre is there the page itself finds out
    hush();
    listenAt = Date.now() + pause(deaf++);
    notBefore = Math.max(notBefore, Date.now() + pause(0));
    due = true;
  };
}

function hush() {
  if (source) source.close();
  source = null;
}

function look() {
  const now = Date.now();
  if (document.hidden || fetching || leaving) return;
  if (body.dataset.topics && !source && now >= listenAt && !failures) listen();
  if (now >= notBefore && (due || now >= anyway)) refresh();
}

if ("refresh" in body.dataset) {
  setInterval(look, 250);
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return hush();
    due = true; listenAt = 0;
  });
  addEventListener("online", () => { notBefore = 0; due = true; });
  addEventListener("pagehide", () => { leaving = true; hush(); });
  addEventListener("pageshow", () => { leaving = false; due = true; });
}

// A secret that is shown once: a button beside it copies it, where the browser lets a page do that.
if (navigator.clipboard) {
  for (const button of document.querySelectorAll("[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(button.dataset.copy);
      button.textContent = button.dataset.copied;
    });
  }
}
