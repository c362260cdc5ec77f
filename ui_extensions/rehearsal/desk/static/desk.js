// What an agent does here, the browser does through the desk's own API: one PUT for the ticket and the new article together.
"use strict";
(() => {
  const { token, home } = document.body.dataset;
  const byId = (id) => document.getElementById(id);
  const escape = (text) => text.replace(/[&<>"]/g, (letter) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[letter]);

  function say(problem, done = "") {
    const notice = byId("problem");
    if (!notice) return;
    notice.textContent = problem;
    notice.hidden = !problem;
    byId("done").textContent = done;
  }

  async function call(method, path, data) {
    const headers = { Authorization: `Token token=${document.body.dataset.token || token}`, Accept: "application/json" };
    if (data) headers["Content-Type"] = "application/json";
    let answer;
    try {
      answer = await fetch(`${home}api/v1/${path}`, { method, headers, body: data && JSON.stringify(data) });
    } catch {
      throw new Error("The desk gave no answer. Look whether it was taken before you press Update again; your text is kept.");
    }
    const said = await answer.json().catch(() => ({}));
    if (!answer.ok) throw new Error(`The desk said no (${answer.status}): ${said.error_human || said.error || "no reason given"}. Your text is kept.`);
    return said;
  }

  // As the helpdesk's own editor writes it: the first line bare, each further line in a div.
  function asHtml(text) {
    const [first, ...rest] = text.split("\n");
    return escape(first) + rest.map((line) => `<div>${line ? escape(line) : "<br>"}</div>`).join("");
  }

  const asAttachment = (file) => new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve({ filename: file.name, data: reader.result.slice(reader.result.indexOf(",") + 1), "mime-type": file.type || "application/octet-stream" });
    reader.onerror = () => reject(new Error(`The file ${file.name} cannot be read.`));
    reader.readAsDataURL(file);
  });

  async function update(form) {
    const text = form.elements.text.value.trim(), files = [...form.elements.files.files], isNote = form.elements.kind.value === "note";
    const changed = [...document.querySelectorAll("select[data-was]")].filter((select) => select.value !== select.dataset.was);
    const data = Object.fromEntries(changed.map((select) => [select.name, Number(select.value)]));
    if (text || files.length) {
      data.article = { type: form.elements.kind.value, sender: "Agent", internal: isNote, content_type: "text/html", body: asHtml(text || files.map((file) => file.name).join(", ")) };
      if (files.length) data.article.attachments = await Promise.all(files.map(asAttachment));
    }
    if (!Object.keys(data).length) { say("", "Nothing to update."); form.elements.text.focus(); return; }
    await call("PUT", `tickets/${form.dataset.ticket}?all=true`, data);
    for (const select of changed) select.dataset.was = select.value;
    // Not form.reset(): that would also turn the ticket's own fields back.
    for (const emptied of [form.elements.text, form.elements.files]) emptied.value = "";
    form.querySelector("[data-chosen]").textContent = "";
    say("", data.article ? (isNote ? "Note added." : "Reply added; Crossdesk carries it to the customer.") : "Updated.");
  }

  function show(form) {
    const kind = form.elements.kind.value, hint = form.querySelector(".hint");
    form.classList.toggle("internal", kind === "note");
    document.querySelector("cd-panel")?.toggleAttribute("internal", kind === "note");
    hint.textContent = kind === "note" ? hint.dataset.hintNote : hint.dataset.hintPhone;
  }

  async function work(what, form) {
    if (form?.getAttribute("aria-busy") === "true") return;
    form?.setAttribute("aria-busy", "true");
    const button = document.querySelector(".bar .primary");
    if (button) button.disabled = true;
    say("");
    try { await what(); } catch (problem) { say(problem.message); } finally {
      form?.removeAttribute("aria-busy");
      if (button) button.disabled = false;
      document.dispatchEvent(new Event("look"));
    }
  }

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.matches("[data-send]")) { event.preventDefault(); work(() => update(form), form); }
    if (form.matches("[data-merge]")) {
      event.preventDefault();
      work(async () => {
        const said = await call("PUT", `ticket_merge/${form.dataset.ticket}/${form.elements.number.value.trim()}`);
        if (said.result !== "success") throw new Error(`Not merged: ${said.message || said.result}.`);
        form.closest("details").open = false;
        say("", "Merged.");
      }, form);
    }
  });
  document.addEventListener("click", (event) => {
    const { article, internal } = event.target.dataset;
    if (article) work(() => call("PUT", `ticket_articles/${article}`, { internal: internal === "true" }));
  });
  document.addEventListener("input", () => { if (byId("done")) byId("done").textContent = ""; });
  document.addEventListener("change", (event) => { if (event.target.name === "kind") show(event.target.form); });

  // The address that the helpdesk's own links have.
  function follow() {
    const zoom = /^#ticket\/zoom\/(\d+)/.exec(location.hash);
    if (zoom) location.replace(`${home}?ticket=${zoom[1]}`);
  }
  addEventListener("hashchange", follow);
  follow();
  byId("answer")?.scrollIntoView({ block: "end" });
})();
