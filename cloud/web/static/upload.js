// Sends a form that brings a file, and shows how far it is. What comes back is a page, as without this script: another
// one where it worked; else this one again, of which the answer's part is taken, and the chosen file stays chosen.
"use strict";

addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("form[data-upload]")) return;
  event.preventDefault();
  const { most, large, broken, looked, sent } = form.dataset;
  const sending = form.querySelector("#sending"), bar = sending.querySelector("progress");
  const says = sending.querySelector("[role=status]"), button = form.querySelector("button");
  const outcome = document.getElementById("outcome"), file = form.querySelector("[type=file]").files[0];

  function ended(text) {  // without an answer of the centre's
    const said = document.createElement("p");
    said.className = "banner bad";
    said.setAttribute("role", "alert");
    said.textContent = text;
    outcome.replaceChildren(said);
    over();
  }

  function over() {
    sending.hidden = true;
    button.disabled = false;
    outcome.scrollIntoView({ block: "nearest" });
  }

  if (file && file.size > Number(most)) return ended(large);
  const request = new XMLHttpRequest();
  request.upload.onprogress = ({ loaded, total }) => {
    const megabytes = (bytes) => (bytes / 1e6).toLocaleString(document.documentElement.lang, { maximumFractionDigits: 1 });
    bar.value = 100 * loaded / total;
    const filled = { percent: Math.floor(bar.value), done: megabytes(loaded), size: megabytes(total) };
    says.textContent = sent.replace(/{(\w+)}/g, (_, name) => filled[name]);
  };
  request.upload.onload = () => {
    bar.removeAttribute("value");
    says.textContent = looked;
  };
  request.onerror = request.ontimeout = () => ended(broken);
  request.onload = () => {
    if (new URL(request.responseURL).pathname !== location.pathname) return void location.assign(request.responseURL);
    const fresh = request.responseXML && request.responseXML.getElementById("outcome");
    if (!fresh) return void ended(request.responseXML?.querySelector("main")?.textContent.trim() || broken);
    outcome.replaceChildren(...document.adoptNode(fresh).childNodes);
    over();
  };
  request.open("POST", form.action || location.href);
  request.responseType = "document";
  button.disabled = true;
  outcome.replaceChildren();
  sending.hidden = false;
  request.send(new FormData(form));
});
