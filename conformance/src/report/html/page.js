// Unfolds what the page holds: filters, pages of statements and checks, whole logs, packets byte by byte.
// Texts only ever become text nodes: nothing that a broker said is taken for markup.
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const [texts, packets] = [data.texts, data.packets];
  const brokers = [...document.querySelectorAll(".brokers thead th:not(:first-child)")].map((th) => th.textContent);
  const signs = { conforms: "✓", violates: "✗", deviates: "!", inconclusive: "?", choice: "·", unsupported: "–", "not-tested": "–" };

  /** An element: its name with classes (`p.lead`), attributes, children (nodes or texts). */
  function make(name, attributes = {}, ...children) {
    const [tag, ...classes] = name.split(".");
    const node = document.createElement(tag);
    if (classes.length) node.className = classes.join(" ");
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    node.append(...children.filter((child) => child !== null && child !== undefined));
    return node;
  }
  const mark = (verdict) => make("span.mark.v-" + verdict, {},
    make("span", { "aria-hidden": "true" }, signs[verdict] ?? ""), " " + verdict.replaceAll("-", " "));
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];

  // ---- Colours -------------------------------------------------------------------------------------------------
  const theme = document.getElementById("theme-choice");
  const remembered = { get: () => { try { return localStorage.getItem("mqtt-assay-theme"); } catch { return null; } },
    set: (value) => { try { localStorage.setItem("mqtt-assay-theme", value); } catch { /* Not kept, then. */ } } };
  function colour(value) {
    if (value) document.documentElement.dataset.theme = value;
    else delete document.documentElement.dataset.theme;
  }
  theme.value = remembered.get() ?? "";
  colour(theme.value);
  theme.addEventListener("change", () => { colour(theme.value); remembered.set(theme.value); });
  document.getElementById("theme").hidden = false;

  // ---- Filter --------------------------------------------------------------------------------------------------
  const form = document.getElementById("filter");
  const shown = document.getElementById("shown");
  form.hidden = false;
  const entry = (node, kind, version, section) => ({ node, kind, version, section,
    verdicts: node.dataset.w.trim().split(/\s+/), text: null });
  const items = [
    ...all(".failure").map((node) => entry(node, "failures", node.dataset.v, node.dataset.s)),
    ...all("#matrix tr[data-w]").map((node) => entry(node, "statements", node.parentNode.dataset.v, node.parentNode.dataset.s)),
    ...all("#check-table tr[data-w]").map((node) => entry(node, "checks", node.dataset.v, node.dataset.s)),
  ];
  const haystack = (item) => item.text ??= (item.kind === "failures"
    ? item.node.querySelector("summary").textContent + " " + all(".finding", item.node).map((f) => f.textContent).join(" ")
    : item.node.id + " " + item.node.textContent + " " + (data.statements[item.node.id]?.checks ?? []).join(" ")).toLowerCase();
  const fields = ["text", "verdict", "version", "section"];

  function filter() {
    const want = Object.fromEntries(fields.map((name) => [name, form.elements[name].value.trim()]));
    const words = want.text.toLowerCase().split(/\s+/).filter(Boolean);
    const fits = (item) => (!want.version || item.version === want.version)
      && (!want.section || item.section === want.section)
      && (!want.verdict || (want.verdict === "differs" ? new Set(item.verdicts).size > 1 : item.verdicts.includes(want.verdict)))
      && words.every((word) => haystack(item).includes(word));
    const counts = { failures: [0, 0], statements: [0, 0], checks: [0, 0] };
    for (const item of items) {
      const fit = fits(item);
      item.node.hidden = !fit;
      counts[item.kind][0] += fit;
      counts[item.kind][1] += 1;
    }
    for (const body of all("#matrix tbody")) body.hidden = !body.querySelector("tr[data-w]:not([hidden])");
    for (const group of all("div.failures")) group.hidden = !group.querySelector(".failure:not([hidden])");
    const wanted = fields.some((name) => want[name]);
    shown.textContent = Object.entries(counts).filter(([, [, total]]) => total)
      .map(([kind, [fit, total]]) => wanted ? `${fit} of ${total} ${kind}` : `${total} ${kind}`).join(", ") + " shown";
    return wanted ? "#?" + new URLSearchParams(fields.filter((name) => want[name]).map((name) => [name, want[name]])) : "";
  }
  let address = "";
  function filtered() {
    address = filter();
    history.replaceState(null, "", address || location.pathname + location.search);
  }
  let pause = 0;
  form.addEventListener("input", () => { clearTimeout(pause); pause = setTimeout(filtered, 120); });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => { clearTimeout(pause); setTimeout(filtered, 0); });

  // ---- Packets -------------------------------------------------------------------------------------------------
  const arrows = [["→", "to the broker"], ["←", "from the broker"], ["·", "remark"]];

  /** The bytes of a packet with what they mean. */
  function dump(place) {
    const [hex, missing, parts] = packets[place];
    let at = 0;
    const rows = parts.map(([length, name, value]) => {
      const bytes = hex.slice(2 * at, 2 * (at + length)).match(/../g) ?? [];
      const row = make("tr", {}, make("td", {}, at.toString(16).padStart(4, "0")),
        make("td", {}, make("code", {}, bytes.join(" "))), make("td", {}, texts[name]), make("td", {}, texts[value]));
      at += length;
      return row;
    });
    if (missing) rows.push(make("tr", {}, make("td"), make("td", { colspan: 3 }, `${missing} more bytes, which the result does not have`)));
    const heads = ["At", "Bytes", "Field", "Value"].map((head) => make("th", { scope: "col" }, head));
    return make("table.dump", {}, make("thead", {}, make("tr", {}, ...heads)), make("tbody", {}, ...rows));
  }

  function line(outcome, index) {
    const [at, client, connection, way, text, packet] = outcome.log[index];
    const here = outcome.marked?.includes(index);
    const words = make("code", {}, texts[text]);
    const cell = make("td");
    if (packet === null) cell.append(words);
    else {
      const button = make("button.packet", { type: "button", "aria-expanded": "false" }, words);
      button.dataset.packet = packet;
      cell.append(button);
    }
    if (here) cell.append(" ", make("b", {}, "← here"));
    return make(here ? "tr.here" : "tr", {}, make("td", {}, (at / 1e6).toFixed(3)),
      make("td", {}, texts[client] + (connection > 1 ? "#" + connection : "")),
      make("td", {}, make("span", { "aria-hidden": "true" }, arrows[way][0]), " ", make("span.vh", {}, arrows[way][1])), cell);
  }

  /** Which events are shown at first: the same as without this script. */
  function telling(outcome) {
    const [length, longest, ends, around] = [outcome.log.length, 40, 10, 6];
    const near = (index) => outcome.marked?.some((mark) => Math.abs(mark - index) <= around);
    return outcome.log.map((_, index) => length <= longest || index < ends || index >= length - ends || near(index));
  }

  /** Lays out a log; what is left out comes when asked for. */
  function unfold(body, outcome) {
    const rows = [];
    const wanted = telling(outcome);
    for (let index = 0; index < wanted.length; index += 1) {
      if (wanted[index]) { rows.push(line(outcome, index)); continue; }
      const from = index;
      while (index + 1 < wanted.length && !wanted[index + 1]) index += 1;
      const to = index + 1;
      const button = make("button", { type: "button" }, `Show ${to - from} more`);
      const row = make("tr.left-out", {}, make("td", { colspan: 4 }, button));
      button.addEventListener("click", () => {
        const more = [];
        for (let hidden = from; hidden < to; hidden += 1) more.push(line(outcome, hidden));
        row.replaceWith(...more);
        (more[0].querySelector("button") ?? body.closest(".scroll"))?.focus();
      });
      rows.push(row);
    }
    body.replaceChildren(...rows);
  }
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.(".packet");
    if (!button) return;
    const open = button.getAttribute("aria-expanded") === "true";
    button.setAttribute("aria-expanded", String(!open));
    const row = button.closest("tr");
    if (open) row.nextElementSibling.remove();
    else row.after(make("tr.bytes", {}, make("td", { colspan: 4 }, dump(Number(button.dataset.packet)))));
  });

  // ---- Failures ------------------------------------------------------------------------------------------------
  function opened(failure) {
    if (failure.dataset.ready) return;
    failure.dataset.ready = "yes";
    const outcome = data.results[failure.dataset.broker].find((one) => one.failure === failure.id);
    const body = failure.querySelector(".log tbody");
    if (body && outcome?.log) unfold(body, outcome);
    for (const box of all(".copy", failure)) addCopy(box);
  }
  for (const failure of all(".failure")) failure.addEventListener("toggle", () => { if (failure.open) opened(failure); });

  /** A button that copies what is beside it. */
  function addCopy(box) {
    const text = box.querySelector("pre").textContent;
    const button = make("button", { type: "button" }, "Copy");
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(text);
        button.textContent = "Copied";
      } catch {
        // Without leave for the clipboard the text is at least selected.
        getSelection().selectAllChildren(box.querySelector("pre"));
        button.textContent = "Selected";
      }
      setTimeout(() => { button.textContent = "Copy"; }, 2000);
    });
    box.append(button);
  }

  // ---- Pages in the page ---------------------------------------------------------------------------------------
  const dialog = document.getElementById("page");
  const inside = document.getElementById("page-body");

  const outcomes = (check, version) => data.results.map((results) =>
    results.find((one) => one.check === check && (!version || one.version === version)));
  const link = (href, text) => make("a", { href }, text);

  /** What a check came to with each broker. */
  function verdicts(check, version) {
    return outcomes(check, version).map((outcome, broker) => {
      const name = brokers.length > 1 ? brokers[broker] + ": " : "";
      if (!outcome) return make("p", {}, name + "not run");
      const said = [...outcome.notes ?? [], ...outcome.said ?? []].join("; ");
      return make("p", {}, name, mark(outcome.verdict), outcome.failure ? " " : null,
        outcome.failure ? link("#" + outcome.failure, "the proof") : null, said ? " – " + said : null);
    });
  }

  function statementPage(id) {
    const about = data.statements[id];
    if (!about) return null;
    const version = id.split("/")[0];
    const checks = about.checks.map((check) => make("li", {},
      link(`#check:${check}:${version}`, check), make("p", {}, data.checks[check]?.doc[0][1] ?? ""), ...verdicts(check, version)));
    const where = make("p.where", {}, `${about.level}, binds ${about.binds === "both" ? "both sides" : "the " + about.binds}. `,
      make("a", { href: about.link, rel: "noreferrer" }, `§${about.title}`), ` (${about.document})`,
      about.ours ? ". The document does not number this rule; the id is ours." : ".");
    const standing = all("td .mark", document.getElementById(id)).map((cell, broker) =>
      make("p", {}, brokers.length > 1 ? brokers[broker] + ": " : "", cell.cloneNode(true)));
    return [id, where, make("p.lead", {}, about.summary), ...standing,
      about.seen_by ? make("h3", {}, "To be seen by") : null, about.seen_by ? make("p", {}, about.seen_by) : null,
      make("h3", {}, checks.length ? "Checked by" : "No check"),
      checks.length ? make("ul", {}, ...checks) : make("p", {}, (about.why ?? "not yet") + "."),
      about.mutants.length ? make("h3", {}, "Proved by these broken brokers") : null,
      about.mutants.length ? make("p", {}, ...about.mutants.flatMap((mutant, index) => [index ? ", " : "", make("code", {}, mutant)])) : null];
  }

  function checkPage(check, version) {
    const about = data.checks[check];
    const found = outcomes(check, version);
    if (!about && found.every((outcome) => !outcome)) return null;
    const doc = (about?.doc ?? []).slice(1).flatMap(([head, text]) => [make("dt", {}, head), make("dd", {}, text)]);
    if (about?.needs.length) doc.push(make("dt", {}, "Needs"), make("dd", {}, about.needs.join(", ")));
    if (about?.waits) doc.push(make("dt", {}, "Waits"), make("dd", {}, `${about.waits} s`));
    const covers = (about?.covers ?? []).filter((id) => id.startsWith(version + "/")).map((id) =>
      make("li", {}, data.statements[id] ? link("#" + id, id) : id, make("p", {}, data.statements[id]?.summary ?? "")));
    const logs = found.flatMap((outcome, broker) => {
      if (!outcome?.log || outcome.failure) return [];
      const body = make("tbody");
      unfold(body, outcome);
      return [make("h3", {}, "Packets" + (brokers.length > 1 ? ", " + brokers[broker] : "")),
        make("div.log.scroll", { tabindex: 0, role: "region", "aria-label": "Packets" }, make("table", {}, body))];
    });
    return [check, make("p.where", {}, "MQTT " + version), make("p.lead", {}, about?.doc[0][1] ?? "This version of mqtt-assay does not know the check."),
      ...verdicts(check, version), make("dl", {}, ...doc),
      covers.length ? make("h3", {}, "Decides") : null, covers.length ? make("ul", {}, ...covers) : null,
      about?.mutants.length ? make("h3", {}, "Proved by these broken brokers") : null,
      about?.mutants.length ? make("p", {}, ...about.mutants.flatMap((mutant, index) => [index ? ", " : "", make("code", {}, mutant)])) : null,
      ...logs];
  }

  function show(content) {
    const [title, ...rest] = content;
    const close = make("button.close", { type: "button" }, "Close");
    close.addEventListener("click", () => dialog.close());
    inside.replaceChildren(close, make("h2", { id: "page-title", tabindex: -1 }, title), ...rest.filter(Boolean));
    if (!dialog.open) dialog.showModal();
    inside.querySelector("h2").focus();
    dialog.scrollTop = 0;
  }
  // The page goes, and the address is that of the filter again.
  dialog.addEventListener("close", () => {
    if (leads(location.hash)) history.replaceState(null, "", address || location.pathname + location.search);
  });
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });

  // ---- Addresses -----------------------------------------------------------------------------------------------
  function target(hash) {
    try { return decodeURIComponent(hash.slice(1)); } catch { return hash.slice(1); }
  }
  /** The page that an address leads to. */
  function leads(hash) {
    const name = target(hash);
    if (name.startsWith("check:")) {
      const end = name.lastIndexOf(":");
      return checkPage(name.slice("check:".length, end), name.slice(end + 1));
    }
    return Object.hasOwn(data.statements, name) ? statementPage(name) : null;
  }
  function follow() {
    if (location.hash.startsWith("#?")) {
      const wanted = new URLSearchParams(location.hash.slice(2));
      for (const name of fields) form.elements[name].value = wanted.get(name) ?? "";
      if (dialog.open) dialog.close();
      address = filter();
      form.scrollIntoView();
      return;
    }
    const content = leads(location.hash);
    if (content) { show(content); return; }
    if (dialog.open) dialog.close();
    const node = location.hash && document.getElementById(target(location.hash));
    if (node instanceof HTMLDetailsElement) {
      if (node.hidden) {
        for (const name of fields) form.elements[name].value = "";
        address = filter();
      }
      node.open = true;
      opened(node);
      node.scrollIntoView();
      node.querySelector("summary").focus({ preventScroll: true });
    }
  }
  addEventListener("hashchange", follow);
  filter();
  follow();
  document.documentElement.dataset.ready = "yes";
})();
