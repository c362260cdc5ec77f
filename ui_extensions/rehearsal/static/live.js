// Draws what has changed without leaving the page, and sends forms the same way. Without it every form and link still works.
// Parts: [data-live] is drawn again whenever the server has something new; [data-swap] only when the reader did something.
"use strict";
(() => {
  const EVERY = 1000;
  let version = document.body.dataset.version;
  let isBusy = false;
  let visits = 0;

  const away = (is) => { const notice = document.getElementById("away"); if (notice) notice.hidden = !is; };

  function redraw(page, selector) {
    const fresh = new DOMParser().parseFromString(page, "text/html");
    const focused = document.activeElement && document.activeElement.id;
    const isAtEnd = document.querySelector("[role=log]") && innerHeight + scrollY >= document.documentElement.scrollHeight - 60;
    for (const old of document.querySelectorAll(selector)) {
      const now = old.id && fresh.getElementById(old.id);
      if (now && !(selector === "[data-live]" && isTouched(old))) settle(old, now);
    }
    document.title = fresh.title;
    for (const [name, value] of Object.entries(fresh.body.dataset)) document.body.dataset[name] = value;
    version = fresh.body.dataset.version || "";
    if (focused && document.activeElement === document.body) document.getElementById(focused)?.focus({ preventScroll: true });
    if (isAtEnd) scrollTo(0, document.documentElement.scrollHeight);
  }

  // A part marked "clean" is left alone while the reader has chosen something in it that was not sent yet.
  const isTouched = (part) => part.dataset.live === "clean" && [...part.querySelectorAll("select")].some((one) => one.value !== one.dataset.was);

  // Children with an id that look the same stay as they are, so that open menus, focus and selections survive.
  function settle(old, now) {
    if (old.outerHTML === now.outerHTML) return;
    for (const { name } of [...old.attributes]) if (!now.hasAttribute(name)) old.removeAttribute(name);
    for (const { name, value } of [...now.attributes]) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    const wanted = [...now.children];
    if (!wanted.length || wanted.some((child) => !child.id)) { old.replaceChildren(...now.childNodes); return; }
    const isFilled = old.children.length > 0;
    let at = old.firstElementChild;
    for (const child of wanted) {
      const same = [...old.children].find((one) => one.id === child.id);
      if (same === at && same) { at = same.nextElementSibling; settle(same, child); continue; }
      if (same) { settle(same, child); old.insertBefore(same, at); continue; }
      if (isFilled) child.classList.add("arrived");
      old.insertBefore(child, at);
    }
    while (at) { const next = at.nextElementSibling; at.remove(); at = next; }
  }

  async function poll() {
    if (isBusy || document.hidden) return;
    isBusy = true;
    const before = visits;
    try {
      const answer = await fetch(location.pathname + location.search, { headers: version ? { "If-None-Match": `"${version}"` } : {}, cache: "no-store" });
      const drawn = answer.status === 200 && (await answer.text());
      if (drawn && before === visits) redraw(drawn, "[data-live]");
      away(answer.status >= 500);
    } catch { away(true); } finally { isBusy = false; }
  }

  async function visit(request, form) {
    isBusy = true;
    visits += 1;
    const button = document.activeElement;
    form?.setAttribute("aria-busy", "true");
    try {
      const answer = await request;
      const typed = document.getElementById("text")?.value || "";
      const files = document.querySelector("input[name=files]")?.files;
      if (answer.redirected || answer.ok) history.replaceState(null, "", answer.url);
      if (form && answer.ok) { form.reset(); form.closest("details")?.removeAttribute("open"); document.getElementById("text")?.dispatchEvent(new Event("input", { bubbles: true })); }
      redraw(await answer.text(), "[data-live], [data-swap]");
      const text = document.getElementById("text");
      if (text && !form && typed && !text.value) { text.value = typed; text.dispatchEvent(new Event("input", { bubbles: true })); }
      const attach = document.querySelector("input[name=files]");
      if (attach && !form && files?.length && !attach.files.length) { attach.files = files; attach.dispatchEvent(new Event("change", { bubbles: true })); }
      if (text && (!form || form.contains(button))) { text.focus({ preventScroll: true }); text.form.scrollIntoView({ block: "nearest" }); }
      away(false);
    } catch { away(true); } finally { form?.removeAttribute("aria-busy"); isBusy = false; }
  }

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("form[data-soft]")) return;
    event.preventDefault();
    if (!isBusy || form.getAttribute("aria-busy") !== "true") visit(fetch(form.action, { method: "POST", body: new FormData(form, event.submitter) }), form);
  });

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-soft]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    visit(fetch(link.href, { cache: "no-store" }));
  });

  // Letters are counted as the server counts them: in code points.
  document.addEventListener("input", (event) => {
    const count = event.target.form?.querySelector("[data-count]"), limit = Number(event.target.dataset.limit);
    if (!count || !limit) return;
    const length = [...event.target.value].length;
    count.textContent = `${length} / ${limit}`;
    count.classList.toggle("over", length > limit);
  });

  document.addEventListener("change", (event) => {
    const chosen = event.target.type === "file" && event.target.form?.querySelector("[data-chosen]");
    if (chosen) chosen.textContent = [...event.target.files].map((file) => file.name).join(", ");
  });

  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.form?.matches("form[data-soft], form[data-send]")) event.target.form.requestSubmit(event.target.form.querySelector("button.primary"));
  });

  setInterval(poll, EVERY);
  document.addEventListener("look", poll);
  document.addEventListener("visibilitychange", poll);
})();
