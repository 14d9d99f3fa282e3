// What a page does beyond its links and forms: nothing that is needed, only what is quicker.
"use strict";
(() => {
  const first = document.querySelector("[data-focus]");
  if (first) first.focus();

  // A link in the summary of errors leads to the field, and into it.
  document.addEventListener("click", (event) => {
    const link = event.target.closest(".errors a[href^='#']");
    const field = link && document.getElementById(link.hash.slice(1));
    if (!field) return;
    event.preventDefault();
    const label = document.querySelector(`label[for="${CSS.escape(field.id)}"]`) || field;
    label.scrollIntoView();
    (field.matches("fieldset") ? field.querySelector("input") || field : field).focus({ preventScroll: true });
  });

  // A form is sent once; the server would answer the second time as the first.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post") return;
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
  });
  addEventListener("pageshow", () => {
    document.querySelectorAll("form[data-sent]").forEach((form) => delete form.dataset.sent);
  });

  // After a part of the page was replaced, the focus is where it was.
  let focused = "";
  document.addEventListener("htmx:beforeSwap", () => { focused = document.activeElement?.id || ""; });
  document.addEventListener("htmx:afterSettle", () => {
    if (focused && document.activeElement === document.body) document.getElementById(focused)?.focus();
  });

  // Shortcuts: / finds, g and a letter goes, j and k walk through rows, Enter opens. They can be turned off.
  const off = () => localStorage.getItem("shortcuts") === "off";
  const typing = (target) => target.closest("input, textarea, select, [contenteditable]");
  let going = false;
  const rows = () => [...document.querySelectorAll("main [data-row] a:first-of-type")];
  const walk = (step) => {
    const all = rows();
    const at = all.indexOf(document.activeElement);
    all[Math.max(0, Math.min(all.length - 1, at + step))]?.focus();
  };
  document.addEventListener("keydown", (event) => {
    if (off() || event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    if (going) {
      going = false;
      document.querySelector(`nav a[data-key="${CSS.escape(event.key)}"]`)?.click();
    } else if (event.key === "/") {
      event.preventDefault();
      document.getElementById("find")?.focus();
    } else if (event.key === "g") going = true;
    else if (event.key === "j") walk(1);
    else if (event.key === "k") walk(-1);
    else if (event.key === "?") location.href = "/partners/help";
  });
  const toggle = document.getElementById("shortcuts");
  if (toggle) {
    toggle.checked = !off();
    toggle.addEventListener("change", () => localStorage.setItem("shortcuts", toggle.checked ? "on" : "off"));
  }
})();
