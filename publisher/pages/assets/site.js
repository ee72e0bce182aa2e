// Comfort on top of pages that are whole without it.
"use strict";

const root = new URL(document.documentElement.dataset.root, document.baseURI);

// The site's address, where pages leave its place open.
if (root.protocol.startsWith("http")) {
	const here = root.href.replace(/\/$/, "");
	for (const code of document.querySelectorAll("pre code")) {
		code.textContent = code.textContent.replaceAll("https://THIS-SITE", here);
	}
	for (const note of document.querySelectorAll("[data-place]")) note.hidden = true;
}

// A button beside what is there to be copied.
for (const what of document.querySelectorAll("[data-copy]")) {
	const button = document.createElement("button");
	button.type = "button";
	button.textContent = "Copy";
	button.setAttribute("aria-label", "Copy " + what.dataset.copy);
	button.addEventListener("click", async () => {
		try {
			await navigator.clipboard.writeText(what.textContent.trim());
			button.textContent = "Copied";
		} catch {
			getSelection().selectAllChildren(what);
			button.textContent = "Selected";
		}
		setTimeout(() => { button.textContent = "Copy"; }, 2000);
	});
	what.after(button);
}

// Tables that show what has all of the words typed.
for (const input of document.querySelectorAll("input[data-filter]")) {
	const rows = [...document.getElementById(input.dataset.filter).tBodies[0].rows];
	const output = input.closest(".filter").querySelector("output");
	input.closest(".filter").hidden = false;
	const texts = rows.map((row) => {
		const titles = [...row.querySelectorAll("[title]")].map((e) => e.title);
		return (row.textContent + " " + titles.join(" ")).toLowerCase();
	});
	input.addEventListener("input", () => {
		const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
		let shown = 0;
		rows.forEach((row, i) => {
			row.hidden = !words.every((word) => texts[i].includes(word));
			shown += row.hidden ? 0 : 1;
		});
		output.textContent = words.length ? `${shown} of ${rows.length}` : "";
	});
}

// A search that reads one piece of the index of commits. Package find tells what is in
// it.
async function read(name) {
	const answer = await fetch(new URL("commits/" + name + ".json", root));
	if (answer.status === 404) return null;
	if (!answer.ok) throw new Error(answer.statusText);
	return answer.json();
}

async function find(text) {
	const query = text.trim().toLowerCase();
	if (!/^[0-9a-f]{4,40}$/.test(query)) return undefined;
	const { digits } = await read("index");
	const piece = await read(digits ? query.slice(0, digits) : "all");
	return (piece ? piece.commits : []).filter(({ source, mirror }) => source?.startsWith(query) || mirror.startsWith(query));
}

function element(name, text, ...children) {
	const e = document.createElement(name);
	if (text) e.textContent = text;
	e.append(...children);
	return e;
}

function hash(text) {
	const code = element("code", text.slice(0, 12));
	code.className = "hash";
	code.title = text;
	return code;
}

const mostFound = 200;

function show(results, query, found) {
	if (found === undefined) {
		results.replaceChildren(element("p", "Give at least 4 of the 40 hexadecimal digits of a commit's hash."));
		return;
	}
	if (found.length === 0) {
		results.replaceChildren(element("p", `No published commit begins with ${query}. A commit that changes nothing in any published directory is not published.`));
		return;
	}
	const body = element("tbody");
	for (const { destination, source, mirror, page } of found.slice(0, mostFound)) {
		const link = element("a", "", hash(mirror));
		link.href = new URL(`modules/${destination}/commits-${page}.html#c${mirror.slice(0, 12)}`, root);
		body.append(element("tr", "", element("td", "", source ? hash(source) : "–"), element("td", destination), element("td", "", link)));
	}
	const head = element("tr");
	for (const name of ["Source", "Module", "Mirror"]) {
		const cell = element("th", name);
		cell.scope = "col";
		head.append(cell);
	}
	const count = `${found.length} found` + (found.length > mostFound ? `, of which these are the first ${mostFound}` : "") + ".";
	const scroll = element("div", "", element("table", "", element("thead", "", head), body));
	scroll.className = "scroll";
	scroll.tabIndex = 0;
	scroll.setAttribute("role", "group");
	scroll.setAttribute("aria-label", "Commits found");
	results.replaceChildren(element("p", count), scroll);
}

for (const form of document.querySelectorAll("form[data-search]")) {
	const results = form.parentElement.querySelector("[data-results]");
	form.hidden = false;
	form.addEventListener("submit", async (event) => {
		event.preventDefault();
		const query = form.querySelector("input").value;
		try {
			show(results, query.trim(), await find(query));
		} catch (failure) {
			results.replaceChildren(element("p", `The index could not be read: ${failure.message}`));
		}
	});
}
