// The review pages: one module, no framework. Everything that comes from the case is put in as text, never as markup.
// With a service behind it the case comes by fetch; in a folder that was taken away it stands in GTLOC_REVIEW.

const taken = globalThis.GTLOC_REVIEW;
const HEADER = { 'X-Gtloc-Review': '1', 'Content-Type': 'application/json' };
const FOUND = ['contradiction', 'suspicious'];
const LETTERS = { c: 'confirmed', i: 'innocent', d: 'dismissed', s: 'second_reader' };
const VIEWS = ['causes', 'photos', 'map', 'cameras', 'unseen', 'custody', 'find', 'corrections', 'compare'];
const MANY = 1500; // dots; of more, those that would lie on each other are one
const ROW_PX = 64;
const AHEAD = 4; // photos that are asked for before one goes there
const NEAR = 40; // rows above and below those in sight that are asked for with them
const WORST = ['', 'explained', 'suspicious', 'contradiction'];

const state = {
  data: null, photos: new Map(), fresh: new Set(), reviewed: {}, made: new Map(), hidden: 0, left: 0, work: 0, causes: [], others: Boolean(taken),
  undone: [], last: null, keys: true, current: null, trail: [], selected: '', order: null, byCamera: null,
  asked: {}, found: null, keepsZoom: false, pair: '', filter: { text: '', status: '', device: '', undecided: false, sort: 'name' },
};

// ------------------------------------------------------------------ small tools

const byId = (id) => document.getElementById(id);

/** Make an element; children are elements or text. */
function el(name, attributes = {}, ...children) {
  const made = name.startsWith('svg:')
    ? document.createElementNS('http://www.w3.org/2000/svg', name.slice(4))
    : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith('on')) made.addEventListener(key.slice(2), value);
    else made.setAttribute(key, value === true ? '' : value);
  }
  made.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== ''));
  return made;
}

/** Say one of the pages' own sentences. */
function say(key, values = {}) {
  const words = state.data ? state.data.words : {};
  return (words[key] ?? key).replace(/\{(\w+)(?::\?([^|{}]*)\|([^{}]*))?\}/g, (whole, name, one, many) => {
    if (!(name in values)) return whole;
    return one === undefined ? String(values[name]) : Number(values[name]) === 1 ? one : many;
  });
}

let leaving = 0;
const announce = (text) => {
  const live = byId('live');
  live.textContent = '';
  clearTimeout(leaving);
  setTimeout(() => { live.textContent = text; }, 30);
  leaving = setTimeout(() => { live.textContent = ''; }, 12_000);
};
const sameDay = (iso) => iso.slice(0, 10);
const parts = (made) => [made].flat(Infinity).filter((part) => part !== '' && part !== null && part !== undefined);
const clock = (iso) => iso.slice(0, 19).replace('T', ' ');
const shortName = (name) => name.split('/').pop();
const list = (items) => el('ul', { class: 'plain' }, items.map((item) => el('li', { class: 'wrap' }, item)));

function picture(id, alt) {
  const source = taken ? `previews/${id}.jpg` : `preview/${id}`;
  const image = el('img', { src: source, alt, loading: 'lazy', decoding: 'async' });
  image.addEventListener('error', () => image.replaceWith(el('span', { class: 'quiet' }, say('no_picture'))), { once: true });
  return image;
}

// ------------------------------------------------------------------ where the case comes from

/** What is refused is said in the language of the page. */
const spoken = (path) => (!state.data || path.includes('language=') ? path : `${path}${path.includes('?') ? '&' : '?'}language=${encodeURIComponent(state.data.language)}`);

async function ask(path, body) {
  const options = body === undefined
    ? { credentials: 'same-origin' }
    : { method: 'POST', headers: HEADER, body: JSON.stringify(body), credentials: 'same-origin' };
  let answer;
  try {
    answer = await fetch(spoken(path), options);
  } catch {
    notice(say('stopped'));
    throw new Error('stopped');
  }
  const said = await answer.json().catch(() => ({ error: answer.statusText }));
  if (answer.status === 412) notice(say('examined_since'), true);
  if (!answer.ok) throw new Error(said.error || answer.statusText);
  return { said, status: answer.status };
}

async function loadCase(language) {
  if (taken) return taken.case;
  let shown = 0;
  for (;;) {
    const { said, status } = await ask(`data/case?language=${encodeURIComponent(language)}&shown=${shown}`);
    if (status !== 202) return said;
    if (said.rows) {
      firstRows(said);
      shown = said.rows.length < 20 && said.reading < said.of ? 0 : 1;
    }
    const count = byId('reading') ?? byId('main');
    count.textContent = `${said.reading} / ${said.of}`;
    await new Promise((done) => { setTimeout(done, 400); });
  }
}

/** While a large case is read, its first photos are there to look at. */
function firstRows(said) {
  const before = state.data;
  state.data = said; // for the words alone
  document.documentElement.lang = said.language;
  byId('main').replaceChildren(el('h1', {}, say('photos')), el('p', {}, say('reading_on'), ' ', el('span', { id: 'reading' })),
    el('ul', { class: 'first', 'aria-label': say('photos') }, said.rows.map((photo) => el('li', {}, el('span', {}, photo.name), el('span', {}, clock(photo.local) || say('no_time')), el('span', {}, said.statuses[photo.status])))));
  document.body.dataset.rows = 'first';
  state.data = before;
}

/** Whether all rows are here; of a large case they are asked for a piece at a time. */
const whole = () => Boolean(state.data.photos);

/** Keep rows that came, with what is decided on them. */
function remember(rows) {
  for (const photo of rows) {
    state.photos.set(photo.id, photo);
    state.fresh.add(photo.id);
    for (const check of Object.keys(photo.found)) state.reviewed[keyOf(photo.id, check)] = photo.said?.[check] ?? [];
  }
  return rows;
}

const asReader = (query) => new URLSearchParams({ ...query, others: state.others ? 1 : 0 });
const askRows = async (query) => (await ask(`data/rows?${asReader(query)}`)).said;

/** A photo by its id, with what is decided on it now. */
async function rowOf(id) {
  if (!whole() && !state.fresh.has(id)) remember((await askRows({ ids: id })).rows);
  return state.photos.get(id);
}

/** The whole row of a dot: dots of a large case have no names. */
async function rowOfDot(dot) {
  if (dot.found) return dot;
  if (dot.id) return rowOf(dot.id);
  return remember((await askRows({ row: dot.row })).rows)[0];
}

/** Rows that come a piece at a time: *load* gives those from a number on; *begun* are the first, if they are here. */
function inPieces(length, load, begun = { first: 0, rows: [] }) {
  const { piece } = state.data; // as many as the service sends at once
  const held = new Map();
  const coming = new Map();
  const keep = ({ first, rows }) => rows.forEach((row, index) => held.set(first + index, row));
  keep(begun);
  return {
    length,
    get: (at) => held.get(at),
    want(first, last) {
      const all = [];
      for (let number = Math.floor(first / piece); number * piece < Math.min(last, length); number += 1) {
        let isMissing = false;
        for (let at = Math.max(first, number * piece); at < Math.min(last, length, (number + 1) * piece); at += 1) isMissing ||= !held.has(at);
        if (isMissing && !coming.has(number)) coming.set(number, load(number * piece).then(keep).finally(() => coming.delete(number)));
        if (isMissing) all.push(coming.get(number));
      }
      return Promise.all(all);
    },
  };
}

async function rowsOf(query, chosen = '') {
  const load = async (more) => { const said = await askRows({ ...query, ...more }); remember(said.rows); return said; };
  const begun = await load(chosen ? { at: chosen } : { first: 0 });
  return Object.assign(inPieces(begun.total, (first) => load({ first }), begun), { from: begun.at });
}

/** A list of photos: there at once where all rows are here, else as soon as its first ones have come. */
function photoList(query, here, label, then = () => {}) {
  const holder = el('div', { class: 'holds-list' });
  const show = (rows, from) => { holder.replaceChildren(virtualList(rows, photoRow, { label, from })); then(rows.length); };
  if (whole()) {
    const photos = here();
    show(photos, photos.findIndex((photo) => photo.id === state.selected));
  } else rowsOf(query, state.selected).then((rows) => show(rows, rows.from)).catch((error) => { holder.textContent = error.message; });
  return holder;
}

/** What map and timeline draw, in order of time: all photos or those of a camera. */
async function dotsOf(device) {
  if (whole()) return device === undefined ? state.data.photos : ofCamera(device);
  const { said } = await ask(`data/points${device === undefined ? '' : `?${new URLSearchParams({ device })}`}`);
  const dots = said.row.map((row, at) => ({
    row, id: said.id?.[at], name: said.name?.[at], counter: said.counter?.[at] ?? undefined, device: said.devices[said.device[at]], gravest: WORST[said.worst[at]],
    local: said.local[at] === null ? '' : new Date(said.local[at] * 1000).toISOString().slice(0, 19), at: said.latitude[at] === null ? null : [said.latitude[at], said.longitude[at]],
  }));
  return Object.assign(dots, { isInTime: true });
}

async function loadDecisions() {
  const said = taken ? taken.decisions : (await ask(`data/decisions?others=${state.others ? 1 : 0}`)).said;
  state.made = new Map(said.made.map((made) => [made.event, made]));
  state.hidden = said.hidden;
  state.reviewed = said.reviewed ?? {};
  if (whole()) return;
  Object.assign(state, { left: said.left, work: said.work, causes: said.causes });
  state.fresh.clear(); // rows that are here may say other things by now
  for (const cause of state.data.causes) if (cause.first) state.reviewed[keyOf(...cause.first)] = said.causes[cause.number - 1][2];
}

const details = new Map();
function loadPhoto(id) {
  if (!details.has(id)) {
    const coming = taken ? takenPhoto(id) : ask(`data/photo/${id}?language=${state.data.language}&others=${state.others ? 1 : 0}`).then(({ said }) => { remember(said.rows ?? []); return said; });
    details.set(id, coming);
    coming.catch(() => details.delete(id));
    if (details.size > 60) details.delete(details.keys().next().value);
  }
  return details.get(id);
}

const waiting = new Map();
globalThis.gtlocPhoto = (shown) => waiting.get(shown.id)?.(shown);
function takenPhoto(id) {
  return new Promise((done, failed) => {
    waiting.set(id, done);
    const script = el('script', { src: `photos/${id}.js`, onerror: () => failed(new Error(say('not_found'))) });
    script.addEventListener('load', () => script.remove());
    document.head.append(script);
  });
}

let world = null;
async function loadWorld() {
  world ??= taken ? globalThis.GTLOC_WORLD : await (await fetch('world.json', { credentials: 'same-origin' })).json();
  return world;
}

// ------------------------------------------------------------------ what is decided

const keyOf = (id, check) => `${id} ${check}`;
const standings = (id, check) => (state.reviewed[keyOf(id, check)] ?? []).map((item) => ({ ...item, ...state.made.get(item.event) }));
const mine = (item) => taken || !state.data.examiner || item.examiner === state.data.examiner;
// Who asked for a second reader has done with it; for everybody else it is open.
const isHandedOn = (item) => Boolean(state.data.examiner) && item.decision === 'second_reader' && item.standing !== 'overtaken';
const isDecided = (id, check) => standings(id, check).some((item) => mine(item) && (item.counts || isHandedOn(item)));
const openChecks = (photo) => Object.entries(photo.found)
  .filter(([check, outcome]) => FOUND.includes(outcome) && !isDecided(photo.id, check)).map(([check]) => check);

/** All findings in the order of work: the weightiest cause first, what no cause explains last. */
function queue() {
  if (state.order) return state.order;
  const seen = new Set();
  const order = [];
  const add = (id, check) => {
    const photo = state.photos.get(id);
    if (!photo || seen.has(keyOf(id, check)) || !FOUND.includes(photo.found[check])) return;
    seen.add(keyOf(id, check));
    order.push([id, check]);
  };
  for (const cause of state.data.causes) cause.members.forEach(([id, check]) => add(id, check));
  for (const photo of state.data.photos) Object.keys(photo.found).forEach((check) => add(photo.id, check));
  state.order = order;
  return order;
}

const undecided = () => queue().filter(([id, check]) => !isDecided(id, check));

/** How many findings are undecided, and how many there are. */
const progress = () => (whole() ? { left: undecided().length, work: queue().length } : { left: state.left, work: state.work });

/** The next undecided finding after one, from the beginning where none follows. */
async function nextUndecided(here) {
  if (!whole()) return (await ask(`data/next?${asReader(here ? { photo: here.photo.id, check: here.check } : {})}`)).said;
  const left = undecided();
  if (!left.length) return { next: null, left: 0, work: queue().length };
  const order = queue().map(([id, check]) => keyOf(id, check));
  const from = here ? order.indexOf(keyOf(here.photo.id, here.check)) : -1;
  const places = left.map(([id, check]) => order.indexOf(keyOf(id, check)));
  return { next: left[Math.max(0, places.findIndex((place) => place > from))], left: left.length, work: order.length };
}

async function decide(decision, target, words = {}) {
  if (!state.data.may_write) return announce(say(taken ? 'portable' : 'read_only'));
  const sent = { decision, examination: state.data.examination, ...target.sent, ...words };
  try {
    const { said } = await ask('decide', sent);
    state.last = { decision, words };
    state.undone = words.replaces ? state.undone : [];
    await loadDecisions();
    refresh();
    state.told = say(words.replaces ? 'said_redone' : 'said_decided', { decision: say(decision), what: target.what });
    announce(state.told);
    return said.event;
  } catch (error) {
    announce(error.message);
    return null;
  }
}

async function undo() {
  const own = [...state.made.values()].filter((made) => made.undone_by === null && made.examiner === state.data.examiner);
  const newest = own.at(-1);
  if (!newest || !state.data.may_write) return announce(say('nothing_to_undo'));
  try {
    const { said } = await ask('undo', { event: newest.event });
    state.undone.push({ made: newest, by: said.event });
    await loadDecisions();
    refresh();
    announce(say('said_undone', { what: say(newest.decision) }));
  } catch (error) {
    announce(error.message);
  }
  return undefined;
}

async function redo() {
  const taking = state.undone.pop();
  if (!taking) return announce(say('nothing_to_redo'));
  const { made, by } = taking;
  const sent = whole() ? { findings: made.findings } : { again: made.event };
  const target = { sent, what: say('findings_n', { n: made.findings_n }) };
  return decide(made.decision, target, { because: made.because, note: made.note, replaces: by });
}

/** What the keys decide on: the finding that is marked, all of the photo, or the whole cause. */
function target(all = false) {
  const here = state.current;
  if (!here) return null;
  if (here.cause) return causeTarget(here.cause);
  if (!here.photo) return null;
  const checks = all ? Object.keys(here.photo.found) : [here.check];
  if (!checks[0]) return null;
  return { sent: { findings: checks.map((check) => [here.photo.id, check]) }, what: `${checks.join(', ')}, ${shortName(here.photo.name)}` };
}

const causeTarget = (cause) => ({ sent: { cause: cause.number }, what: `${cause.name}, ${say('findings_n', { n: cause.members_n })}` });

async function decideAndGoOn(decision, aim, words) {
  if (!aim) return;
  if (decision === 'innocent' && !words?.because) { askWhy(decision, aim); return; }
  const event = await decide(decision, aim, words);
  if (event) goToUndecided(`${state.told}. `);
}

function askWhy(decision, aim) {
  const dialog = byId('ask');
  const choice = el('select', { id: 'ask-decision' }, Object.values(LETTERS).map((name) => el('option', { value: name, selected: name === decision }, say(name))));
  const because = el('textarea', { id: 'ask-because', maxlength: 4000, 'aria-describedby': 'ask-hint' });
  const note = el('textarea', { id: 'ask-note', maxlength: 4000 });
  const because_label = el('label', {}, say('because'), because, el('span', { class: 'quiet', id: 'ask-hint' }, say('because_hint')));
  const adapt = () => {
    because.required = choice.value === 'innocent';
    because_label.hidden = choice.value !== 'innocent';
  };
  choice.addEventListener('change', adapt);
  const form = el('form', { method: 'dialog' }, el('h2', {}, aim.what), el('label', {}, say('decision'), choice), because_label,
    el('label', {}, say('note'), note),
    el('div', { class: 'actions' }, el('button', { value: 'yes' }, say('decide')),
      el('button', { value: 'no', formnovalidate: true }, say('cancel'))));
  form.addEventListener('keydown', (event) => { if (event.key === 'Enter' && event.ctrlKey) form.requestSubmit(form.querySelector('button')); });
  dialog.replaceChildren(form);
  dialog.onclose = () => {
    if (dialog.returnValue !== 'yes') return;
    const words = { note: note.value.trim(), ...(choice.value === 'innocent' ? { because: because.value.trim() } : {}) };
    decideAndGoOn(choice.value, aim, words);
  };
  dialog.returnValue = '';
  adapt();
  dialog.showModal();
  (decision === 'innocent' ? because : choice).focus();
}

async function goToUndecided(told = '') {
  const here = state.current?.photo ? state.current : null;
  const { next, work } = await nextUndecided(here).catch((error) => { announce(error.message); return {}; });
  if (next) open(next[0], next[1]);
  else if (next === null) {
    announce(`${told}${work ? say('all_decided') : say('no_findings')}`);
    if (location.hash.startsWith('#/photo/')) location.hash = '#/causes';
  }
}

function open(id, check = '') {
  const wanted = `#/photo/${id}${check ? `/${check}` : ''}`;
  if (location.hash === wanted) route(); else location.hash = wanted;
}

const judgedAt = (item) => { const ended = new Map(state.data.examinations).get(item.examination); return ended ? `${clock(ended)} UTC` : '?'; };

function verdicts(id, check) {
  return standings(id, check).map((item) => el('p', { class: `verdict ${item.standing === 'overtaken' ? 'overtaken' : ''}` },
    say('decided_by', { decision: say(item.decision), name: item.examiner, time: `${clock(item.utc_time)} UTC` }),
    item.because ? `: ${item.because}` : '', item.note ? ` (${item.note})` : '',
    item.standing === 'current' ? '' : el('span', { class: 'quiet' }, ` · ${say(item.standing, { time: judgedAt(item) })}`)));
}

function buttons(aim) {
  if (!state.data.may_write) return '';
  return el('div', { class: 'actions', role: 'group', 'aria-label': aim().what }, Object.entries(LETTERS).map(([letter, decision]) => el('button', {
    type: 'button', 'aria-keyshortcuts': letter, onclick: () => decideAndGoOn(decision, aim()),
  }, say(decision))));
}

// ------------------------------------------------------------------ lists that know no length

/** A list of any length: only what is in sight is there. Rows are links; up and down move. */
function virtualList(rows, render, { label, height = ROW_PX, extra = '', from = 0 }) {
  const items = Array.isArray(rows) ? { length: rows.length, get: (at) => rows[at], want: null } : rows;
  const all = el('div', { class: 'all', role: 'list', 'aria-label': label });
  const box = el('div', { class: 'list', tabindex: '-1' }, all);
  all.style.height = `${items.length * height}px`;
  const shown = new Map();
  let asking = 0;
  let at = Math.max(0, from);
  const draw = () => {
    const first = Math.max(0, Math.floor(box.scrollTop / height) - 6);
    const last = Math.min(items.length, Math.ceil((box.scrollTop + box.clientHeight) / height) + 6);
    for (const [index, row] of shown) if ((index < first || index >= last) && !row.contains(document.activeElement)) { row.remove(); shown.delete(index); }
    let isMissing = false;
    for (let index = first; index < last; index += 1) {
      const item = items.get(index);
      const before = shown.get(index);
      isMissing ||= item === undefined;
      if (!before || (item !== undefined && before.dataset.waits)) {
        const line = item === undefined ? el('a', { class: 'line' }, el('span'), el('span', { class: 'quiet' }, say('loading'))) : render(item, index);
        line.tabIndex = index === at ? 0 : -1;
        line.addEventListener('focus', () => { at = index; });
        const row = el('div', { class: `row ${extra}`, role: 'listitem', 'aria-posinset': index + 1, 'aria-setsize': items.length, 'aria-busy': item === undefined ? 'true' : null, 'data-waits': item === undefined ? 'yes' : null }, line);
        row.style.height = `${height}px`;
        row.style.top = `${index * height}px`;
        const isHere = before?.contains(document.activeElement);
        if (before) before.replaceWith(row);
        else { // in their order, for who hears the rows one after the other
          let next = index + 1;
          while (next < last && !shown.has(next)) next += 1;
          all.insertBefore(row, shown.get(next) ?? null);
        }
        shown.set(index, row);
        if (isHere) line.focus({ preventScroll: true });
      }
    }
    // What is scrolled past is not asked for; the pieces next to those in sight are.
    clearTimeout(asking);
    if (items.want) asking = setTimeout(() => { items.want(Math.max(0, first - NEAR), last + NEAR).then(() => { if (isMissing) draw(); }, (error) => announce(error.message)); }, isMissing ? 40 : 150);
  };
  const move = (index) => {
    at = Math.max(0, Math.min(items.length - 1, index));
    const top = at * height;
    if (top < box.scrollTop) box.scrollTop = top;
    if (top + height > box.scrollTop + box.clientHeight) box.scrollTop = top + height - box.clientHeight;
    draw();
    for (const [place, row] of shown) row.firstChild.tabIndex = place === at ? 0 : -1;
    shown.get(at)?.firstChild.focus({ preventScroll: true });
  };
  box.addEventListener('scroll', () => requestAnimationFrame(draw), { passive: true });
  box.addEventListener('keydown', (event) => {
    const steps = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + 8, PageUp: at - 8, Home: 0, End: items.length - 1 };
    if (event.key in steps && items.length) { event.preventDefault(); event.stopPropagation(); move(steps[event.key]); }
  });
  new ResizeObserver(draw).observe(box);
  box.move = move;
  box.redraw = () => { shown.forEach((row) => row.remove()); shown.clear(); draw(); };
  queueMicrotask(() => { if (at) box.scrollTop = (at - 2) * height; draw(); });
  return box;
}

function photoRow(photo) {
  const isOpen = openChecks(photo).length > 0;
  const wasDecided = !isOpen && Object.keys(photo.found).some((check) => isDecided(photo.id, check));
  const outcomes = Object.entries(photo.found).map(([check, outcome]) => el('span', { class: outcome }, `${check} `));
  const status = state.data.statuses[photo.status];
  return el('a', { class: `line ${photo.id === state.selected ? 'chosen' : ''}`, href: `#/photo/${photo.id}` }, picture(photo.id, ''), el('span', {}, photo.name),
    el('span', {}, clock(photo.local) || say('no_time')),
    el('span', {}, outcomes.length ? outcomes : status, wasDecided ? el('span', { class: 'quiet' }, say('decided')) : ''));
}

/** The gravest of what was found of a photo; "" when nothing was. */
const worst = (photo) => photo.gravest ?? [...FOUND, 'explained'].find((outcome) => Object.values(photo.found).includes(outcome)) ?? '';

// ------------------------------------------------------------------ the views

const views = {
  causes() {
    const { data } = state;
    const { left, work } = progress();
    const cards = data.causes.map((cause) => causeCard(cause));
    return [el('h1', {}, say('causes')), el('p', {}, say('counts', data.counts)),
      el('p', { class: 'verdict' }, left ? say('undecided_n', { n: left }) : say(work ? 'all_decided' : 'no_findings')),
      left ? el('p', {}, el('button', { type: 'button', onclick: () => goToUndecided() }, say('next_undecided'))) : '',
      el('ul', { class: 'cards', 'aria-label': say('causes') }, cards)];
  },

  cause(number) {
    const cause = state.data.causes[Number(number) - 1];
    if (!cause) return views.missing();
    state.current = { cause };
    return [el('h1', {}, cause.name), el('ul', { class: 'cards' }, causeCard(cause, true)),
      photoList({ cause: cause.number }, () => cause.photos.map((id) => state.photos.get(id)).filter(Boolean), cause.name)];
  },

  photos() {
    const { filter } = state;
    const holder = el('div');
    const count = el('p', { role: 'status' });
    const here = () => {
      const text = filter.text.toLowerCase();
      const found = state.data.photos.filter((photo) => (!text || photo.name.toLowerCase().includes(text))
        && (!filter.status || photo.status === filter.status || (filter.status === 'not_examined' && photo.partial))
        && (!filter.device || photo.device === filter.device)
        && (!filter.undecided || openChecks(photo).length > 0));
      if (filter.sort === 'time') return byTime(found);
      if (filter.sort === 'weight') found.sort((a, b) => WORST.indexOf(worst(b)) - WORST.indexOf(worst(a)) || Object.keys(b.found).length - Object.keys(a.found).length);
      return found;
    };
    const fill = () => {
      const query = Object.fromEntries(Object.entries({ ...filter, undecided: filter.undecided ? 1 : '' }).filter(([, value]) => value));
      const mine = (fill.asked = (fill.asked ?? 0) + 1);
      const list = photoList(query, here, say('photos'), (n) => {
        if (mine !== fill.asked) return; // somebody typed on
        count.textContent = say('shown_n', { n, of: state.data.photos?.length ?? state.data.rows });
        if (!whole()) holder.replaceChildren(list);
      });
      state.trail = whole() ? here().map((photo) => photo.id) : query;
      if (whole()) holder.replaceChildren(list);
    };
    const choose = (name, options) => el('select', { onchange: (event) => { filter[name] = event.target.value; fill(); } },
      el('option', { value: '' }, say('all')), options.map(([value, text]) => el('option', { value, selected: filter[name] === value }, text)));
    const sorts = el('select', { onchange: (event) => { filter.sort = event.target.value; fill(); } }, ['name', 'time', 'weight'].map((name) => el('option', { value: name, selected: filter.sort === name }, say(`sort_${name}`))));
    const controls = el('form', { class: 'bar', role: 'search', onsubmit: (event) => event.preventDefault() },
      el('label', {}, say('search'), el('input', { type: 'search', id: 'search', value: filter.text, oninput: (event) => { filter.text = event.target.value; fill(); } })),
      el('label', {}, say('result'), choose('status', Object.entries(state.data.statuses))),
      el('label', {}, say('camera'), choose('device', state.data.cameras.map((camera) => [camera.key, camera.label || camera.key]))),
      el('label', {}, say('sort'), sorts),
      el('label', {}, say('undecided'), el('input', { type: 'checkbox', checked: filter.undecided, onchange: (event) => { filter.undecided = event.target.checked; fill(); } })));
    fill();
    return [el('h1', {}, say('photos')), controls, count, holder];
  },

  photo(id, check = '') {
    const photo = state.photos.get(id);
    if (!photo) return views.missing();
    const body = el('div', {}, el('p', { class: 'quiet' }, say('loading')));
    const checks = Object.keys(photo.found);
    state.current = { photo, check: check || openChecks(photo)[0] || checks[0] || '' };
    state.selected = id;
    loadPhoto(id).then((shown) => { if (state.current?.photo === photo) body.replaceChildren(...parts(photoBody(photo, shown))); markFinding(); })
      .catch((error) => body.replaceChildren(el('p', {}, error.message)));
    state.current.around = aside(id);
    const [previous, next] = [['previous', 'ArrowLeft'], ['next', 'ArrowRight']].map(([name, key]) => el('button', { type: 'button', disabled: true, 'aria-keyshortcuts': key, onclick: () => move(name) }, say(`${name}_photo`)));
    state.current.around.then((around) => { previous.disabled = !around.previous; next.disabled = !around.next; }).catch((error) => announce(error.message));
    loadAhead(id);
    return [el('h1', {}, photo.name), el('div', { class: 'actions' }, previous, next,
      el('button', { type: 'button', 'aria-keyshortcuts': 'n', onclick: () => goToUndecided() }, say('next_undecided')),
      el('button', { type: 'button', 'aria-keyshortcuts': 'z', onclick: zoom }, say('larger')),
      el('a', { href: `#/find/like/${id}` }, say('like_this')), photo.at ? el('a', { href: `#/find/near/${id}` }, say('near_this')) : ''), body];
  },

  cameras() {
    return [el('h1', {}, say('cameras')), el('ul', { class: 'cards' }, state.data.cameras.map((camera, index) => el('li', { class: 'card' },
      el('h2', {}, el('a', { href: `#/camera/${index}` }, camera.label || camera.key)),
      el('p', {}, camera.summary), el('p', { class: 'quiet' }, say('photos_n', { n: camera.photos_n })))))];
  },

  camera(index) {
    const camera = state.data.cameras[Number(index)];
    if (!camera) return views.missing();
    state.trail = whole() ? ofCamera(camera.key).map((photo) => photo.id) : { device: camera.key, sort: 'time' };
    const facts = [[say('clock'), camera.kind], [say('offset_hours'), camera.offset_hours?.toFixed(2)],
      [say('interval'), camera.interval_hours?.map((bound) => bound.toFixed(2)).join(' – ')]].filter(([, value]) => value);
    return [el('h1', {}, camera.label || camera.key), el('p', {}, camera.summary),
      el('dl', {}, facts.map(([name, value]) => [el('dt', {}, name), el('dd', {}, value)])),
      camera.evidence.length ? [el('h2', {}, say('evidence')), list(camera.evidence)] : '',
      camera.curve?.length ? [el('h2', {}, say('curve')), curve(camera.curve)] : '',
      withDots(camera.key, (photos) => cameraDrawings(camera, photos)),
      el('h2', {}, say('photos_n', { n: camera.photos_n })), photoList({ device: camera.key, sort: 'time' }, () => ofCamera(camera.key), say('photos'))];
  },

  map() {
    return [el('h1', {}, say('map')), withDots(undefined, mapDrawings)];
  },

  unseen() {
    const { data } = state;
    const here = () => data.photos.filter((photo) => photo.status === 'not_testable' || photo.status === 'not_examined' || photo.partial);
    state.trail = whole() ? here().map((photo) => photo.id) : { unseen: 1 };
    const untested = photoList({ unseen: 1 }, here, say('photos_not_tested'), (n) => { if (!n) queueMicrotask(() => untested.replaceChildren(el('p', {}, say('none')))); });
    return [el('h1', {}, say('unseen')), el('h2', {}, say('reasons')),
      data.reasons.length ? list(data.reasons.map(([stage, reason, n, names]) => `${say('photos_n', { n })} · ${stage}: ${reason} (${names.join(', ')}${n > names.length ? ', …' : ''})`)) : el('p', {}, say('none')),
      el('h2', {}, say('photos_not_tested')), untested,
      el('h2', {}, say('passed_over')), data.passed_over.length ? list(data.passed_over.map(([name, reason]) => `${name}: ${reason}`)) : el('p', {}, say('none')),
      el('h2', {}, say('environment')), el('dl', {}, Object.entries(data.environment).map(([name, value]) => [el('dt', {}, name), el('dd', {}, value)]))];
  },

  custody() {
    const holder = el('div', {}, say('loading'));
    const render = ([number, time, account, action, subject, detail, hash]) => el('div', { class: 'line', title: hash }, el('span', {}, String(number)),
      el('span', {}, clock(time)), el('span', {}, action), el('span', { title: subject }, subject), el('span', { title: `${account} · ${detail}` }, detail));
    const load = async (first) => ({ first, ...(await ask(`data/custody?${asReader({ first })}`)).said });
    const coming = taken ? Promise.resolve(taken.custody)
      : whole() ? ask(`data/custody?${asReader({})}`).then(({ said }) => said) : load(0).then((begun) => inPieces(begun.total, load, begun));
    coming.then((events) => holder.replaceChildren(virtualList(events, render, { label: say('custody'), height: 34, extra: 'custody' }))).catch((error) => { holder.textContent = error.message; });
    return [el('h1', {}, say('custody')), holder];
  },

  find(how = '', id = '') {
    const example = state.photos.get(id);
    // of a large case the row of the example was asked for by the way here
    if (how === 'like' && example) state.asked = { like: id };
    if (how === 'near' && example?.at) state.asked = { near: example.at.join(','), within: '25' };
    if (how) { state.found = null; history.replaceState(null, '', '#/find'); }
    const asked = state.asked;
    const holder = el('div');
    const told = el('div', { role: 'status' });
    const field = (name, hint, options = {}) => el('label', {}, say(`find_${name}`), el('input', { type: 'search', name, value: asked[name] ?? '', placeholder: hint, autocomplete: 'off', id: name === 'words' ? 'search' : null, ...options,
      oninput: (event) => { asked[name] = event.target.value; } }));
    const camera = el('select', { onchange: (event) => { asked.device = event.target.value; } }, el('option', { value: '' }, say('all')),
      state.data.cameras.filter((each) => each.name).map((each) => el('option', { value: each.name, selected: asked.device === each.name }, each.label || each.name)));
    const like = state.photos.get(asked.like ?? '');
    const form = el('form', { class: 'bar', role: 'search', onsubmit: (event) => { event.preventDefault(); run(); } },
      field('words', say('hint_words')), field('near', 'Bergen'), field('within', '25'), field('dates', '2024-01-01..2024-03-31'), field('hours', '22-4'), field('months', '6-8'),
      el('label', {}, say('camera'), camera), field('shows_hour', '18:30'), field('shows_month', '7'), field('shows_place', 'Bergen'),
      el('button', {}, say('find_do')), el('button', { type: 'button', onclick: () => { state.asked = {}; state.found = null; route(); } }, say('find_clear')));
    const show = async () => {
      const { hits, matching, looked_at, unknown, refused, named = [], error } = state.found;
      const photos = whole() ? (hits ?? []).map((hit) => [state.photos.get(hit.id), hit]).filter(([photo]) => photo) : hitsInPieces(hits ?? []);
      await photos.want?.(0, 1).catch((failed) => announce(failed.message));
      state.trail = (hits ?? []).map((hit) => hit.id);
      told.replaceChildren(...parts(error ? el('p', { class: 'verdict' }, error) : [el('p', {}, say('found_n', { n: matching, of: looked_at })),
        named.map(([, town, ...at]) => el('p', { class: 'quiet' }, say('near_named', { name: town, at: at.map((degrees) => degrees.toFixed(2)).join(', ') }))),
        matching > photos.length ? el('p', { class: 'quiet' }, say('shown_first', { n: photos.length })) : '',
        unknown.map(([reason, n]) => el('p', { class: 'quiet' }, say('not_compared', { n, reason }))), refused.map((key) => el('p', {}, say(`refused_${key}`)))]));
      holder.replaceChildren(...parts(photos.length ? virtualList(photos, ([photo, hit]) => foundRow(photo, hit), { label: say('find'), height: 76 }) : ''));
    };
    const run = async () => {
      told.textContent = say('loading');
      const wanted = Object.entries(state.asked).filter(([, value]) => value?.trim());
      try {
        state.found = taken ? await findHere(Object.fromEntries(wanted)) : (await ask(`data/search?${new URLSearchParams(wanted)}`)).said;
      } catch (error) {
        state.found = { error: error.message };
      }
      await show();
    };
    if (how) queueMicrotask(run); else if (state.found) queueMicrotask(show);
    return [el('h1', {}, say('find')), el('p', { class: 'quiet' }, say('find_hint')), form,
      like ? el('p', { class: 'chosen-photo' }, picture(like.id, ''), ` ${say('find_like', { name: like.name })} `, el('button', { type: 'button', onclick: () => { delete state.asked.like; state.found = null; route(); } }, say('find_unlike'))) : '', told, holder];
  },

  corrections() {
    const holder = el('div', {}, el('p', { class: 'quiet' }, say('loading')));
    const ready = loadCorrections().then((held) => holder.replaceChildren(...parts(correctionsBody(held)))).catch((error) => holder.replaceChildren(el('p', { class: 'verdict' }, error.message)));
    state.current = { ready }; // a key that is pressed meanwhile waits for it
    return [el('h1', {}, say('corrections')), el('p', { class: 'quiet' }, say('corrections_hint')), holder];
  },

  compare() {
    const examinations = state.data.examinations ?? [];
    if (examinations.length < 2) return [el('h1', {}, say('compare')), el('p', {}, say('one_examination'))];
    const holder = el('div', { role: 'status' });
    const choice = (name, start) => el('select', { 'aria-label': say(name), onchange: () => run() }, examinations.map(([key, ended], at) => el('option', { value: key, selected: at === start }, `${clock(ended)} UTC${at ? '' : ` · ${say('newest')}`}`)));
    const [first, second] = [choice('compare_first', 1), choice('compare_second', 0)];
    const run = async () => {
      holder.textContent = say('loading');
      try {
        const found = taken ? taken.compare : (await ask(`data/compare?${new URLSearchParams({ first: first.value, second: second.value })}`)).said;
        holder.replaceChildren(...parts(comparison(found)));
      } catch (error) {
        holder.textContent = error.message;
      }
    };
    queueMicrotask(run);
    if (taken) for (const each of [first, second]) each.disabled = true;
    return [el('h1', {}, say('compare')), el('div', { class: 'bar' }, el('label', {}, say('compare_first'), first), el('label', {}, say('compare_second'), second)), holder];
  },

  missing: () => [el('p', {}, say('not_found'))],
};

/** What is drawn of dots: at once where they are here, else when they have come. */
function withDots(device, drawn) {
  const holder = el('div', {}, el('p', { class: 'quiet' }, say('loading')));
  const show = (dots) => holder.replaceChildren(...parts(drawn(dots)));
  if (whole()) show(device === undefined ? state.data.photos : ofCamera(device));
  else dotsOf(device).then((dots) => { if (holder.isConnected) show(dots); }).catch((error) => { holder.textContent = error.message; });
  return holder;
}

function cameraDrawings(camera, photos) {
  const linked = linkedViews();
  const line = el('div');
  const drawLine = (after) => {
    const made = timeline(photos, linked.pick, (photo) => open(photo.id), after);
    line.replaceChildren(made, el('p', { class: 'quiet' }, after.size ? say('after_n', { n: after.size }) : say('no_correction')));
    linked.add((photo) => made.mark?.(photo));
  };
  drawLine(correctedBy(camera, photos, []));
  loadCorrections().then((held) => { const after = correctedBy(camera, photos, held.lines); if (after.size) drawLine(after); }).catch(() => {});
  const placed = those(photos, (photo) => photo.at);
  const track = el('div', { class: 'map', role: 'group', 'aria-label': say('track') });
  if (placed.length) drawMap(track, placed, linked.pick, { track: true }).then(linked.add);
  const counted = photos.filter((photo) => photo.counter && photo.local);
  const counter = counted.length > 1 ? counterChart(counted, linked.pick) : null;
  if (counter) linked.add(counter.mark);
  return [el('h2', {}, say('timeline_both')), line, linked.chosen,
    el('h2', {}, say('counter')), counter ? counter.drawing : el('p', { class: 'quiet' }, say('no_counter')),
    el('h2', {}, say('track')), placed.length ? track : el('p', { class: 'quiet' }, say('no_place'))];
}

function mapDrawings(photos) {
  const place = el('div', { class: 'map', role: 'group', 'aria-label': say('map') });
  const holder = el('div');
  const strip = el('div');
  const days = photos.map((photo) => photo.local).filter(Boolean).map(sameDay).sort();
  const from = el('input', { type: 'date', value: days[0] ?? '' });
  const to = el('input', { type: 'date', value: days.at(-1) ?? '' });
  const count = el('p', { class: 'quiet' });
  const linked = linkedViews();
  let line = null;
  linked.add((photo) => line?.mark?.(photo));
  linked.add((photo) => {
    if (!photo.local) strip.replaceChildren();
    else if (whole()) strip.replaceChildren(neighbours(photo));
    else loadPhoto(photo.id).then((shown) => { if (state.selected === photo.id) strip.replaceChildren(neighbours(photo, shown)); }).catch(() => {});
  });
  const fill = () => {
    const kept = those(photos, (photo) => !photo.local || ((!from.value || sameDay(photo.local) >= from.value) && (!to.value || sameDay(photo.local) <= to.value)));
    const placed = those(kept, (photo) => photo.at);
    count.textContent = say('on_map_n', { n: placed.length, m: kept.length - placed.length });
    line = timeline(kept, linked.pick, (photo) => open(photo.id));
    holder.replaceChildren(line);
    place.draw?.(placed);
  };
  from.addEventListener('change', fill);
  to.addEventListener('change', fill);
  drawMap(place, those(photos, (photo) => photo.at), linked.pick).then((showing) => { linked.add(showing); linked.again(); });
  fill();
  return [el('form', { class: 'bar', onsubmit: (event) => event.preventDefault() }, el('label', {}, say('from_day'), from), el('label', {}, say('to_day'), to)),
    count, place, linked.chosen, el('h2', {}, say('timeline')), holder, strip];
}

/** What is chosen in one view of a page is shown in all others of it, and is kept for the next page. */
function linkedViews() {
  const showing = [];
  const chosen = el('p', { role: 'status', class: 'chosen-photo' });
  const tell = (photo) => {
    chosen.replaceChildren(picture(photo.id, ''), ' ', el('a', { href: `#/photo/${photo.id}` }, photo.name), ` · ${clock(photo.local) || say('no_time')}${photo.at ? ` · ${photo.at.map((degrees) => degrees.toFixed(4)).join(', ')}` : ` · ${say('no_place')}`}`);
    for (const show of showing) show(photo);
  };
  const again = () => { if (state.selected) rowOf(state.selected).then((photo) => { if (photo && chosen.isConnected) tell(photo); }).catch(() => {}); };
  queueMicrotask(again);
  return { chosen, again, add: (show) => { if (show) showing.push(show); }, pick: (dot) => { rowOfDot(dot).then((photo) => { state.selected = photo.id; tell(photo); }).catch((error) => announce(error.message)); } };
}

// ------------------------------------------------------------------ searching, comparing

/** The hits of a search, with the rows that they are of. */
function hitsInPieces(hits) {
  const load = async (first) => {
    const wanted = hits.slice(first, first + state.data.piece);
    remember((await askRows({ ids: wanted.map((hit) => hit.id).join(',') })).rows);
    return { first, rows: wanted.map((hit) => [state.photos.get(hit.id), hit]) };
  };
  return inPieces(hits.length, load);
}

function foundRow(photo, hit) {
  const line = photoRow(photo);
  const near = [hit.distance_km === null || hit.distance_km === undefined ? '' : `${hit.distance_km.toFixed(1)} km`, hit.likeness === null || hit.likeness === undefined ? '' : say('likeness', { value: hit.likeness.toFixed(3) }),
    hit.shown === null || hit.shown === undefined ? '' : say('shown_value', { value: hit.shown.toFixed(2) })].filter(Boolean);
  const where = (hit.places ?? []).map(([, field, text]) => `${say(`field_${field}`) === `field_${field}` ? field : say(`field_${field}`)}: ${text}`);
  line.children[1].append(el('span', { class: 'quiet under' }, [...near, ...where].join(' · ')));
  return line;
}

const spanOf = (text, between) => { const [first, last = first] = text.split(between); return [first.trim(), last.trim()]; };

/** Search in a copy: what the list and the words of the tags tell; likeness needs the program. */
async function findHere(asked) {
  if (!Object.keys(asked).length) throw new Error(say('refused_nothing'));
  if (Object.keys(asked).some((name) => name === 'like' || name.startsWith('shows_'))) throw new Error(say('refused_likeness'));
  const texts = asked.words ? await loadWords() : {};
  const terms = (asked.words ?? '').toLowerCase().match(/"[^"]+"|\S+/g)?.map((term) => term.replaceAll('"', '')) ?? [];
  const unknown = new Map();
  const miss = (key) => { unknown.set(say(key), (unknown.get(say(key)) ?? 0) + 1); return false; };
  const conditions = [];
  if (terms.length) conditions.push((photo) => { const text = `${photo.name} ${texts[photo.id] ?? ''}`.toLowerCase(); return terms.every((term) => text.includes(term)); });
  if (asked.device) conditions.push((photo) => (state.data.cameras.find((camera) => camera.key === photo.device)?.name ?? '').toLowerCase().includes(asked.device.toLowerCase()));
  if (asked.dates) { const [first, last] = spanOf(asked.dates, '..'); conditions.push((photo) => (photo.local ? sameDay(photo.local) >= first && sameDay(photo.local) <= last : miss('no_time'))); }
  if (asked.months) { const [first, last] = spanOf(asked.months, '-').map(Number); conditions.push((photo) => (photo.local ? (Number(photo.local.slice(5, 7)) - first + 12) % 12 <= (last - first + 12) % 12 : miss('no_time'))); }
  if (asked.hours) {
    const [first, last] = spanOf(asked.hours, '-').map((text) => Number(text.split(':')[0]) + Number(text.split(':')[1] ?? 0) / 60);
    conditions.push((photo) => (photo.local ? (Number(photo.local.slice(11, 13)) + Number(photo.local.slice(14, 16)) / 60 - first + 24) % 24 < ((last - first + 24) % 24 || 24) : miss('no_time')));
  }
  const far = new Map();
  if (asked.near) {
    const there = asked.near.split(',').map(Number);
    if (there.length !== 2 || there.some(Number.isNaN)) throw new Error(say('refused_place'));
    conditions.push((photo) => { if (!photo.at) return miss('no_place'); far.set(photo.id, kilometres(photo.at, there)); return far.get(photo.id) <= Number(asked.within || 25); });
  }
  const kept = byTime(state.data.photos.filter((photo) => conditions.every((meets) => meets(photo))));
  if (far.size) kept.sort((a, b) => far.get(a.id) - far.get(b.id));
  return { hits: kept.map((photo) => ({ id: photo.id, distance_km: far.get(photo.id) })), matching: kept.length, looked_at: state.data.photos.length, unknown: [...unknown], refused: terms.length && !kept.length ? ['no_words'] : [] };
}

function kilometres([a, b], [c, d]) {
  const turn = Math.PI / 180;
  const half = Math.sin(((c - a) * turn) / 2) ** 2 + Math.cos(a * turn) * Math.cos(c * turn) * Math.sin(((d - b) * turn) / 2) ** 2;
  return 2 * 6371.0088 * Math.asin(Math.min(1, Math.sqrt(half)));
}

function loadWords() {
  if (globalThis.GTLOC_WORDS) return Promise.resolve(globalThis.GTLOC_WORDS);
  return new Promise((done, failed) => {
    document.head.append(el('script', { src: 'words.js', onload: () => done(globalThis.GTLOC_WORDS), onerror: () => failed(new Error(say('not_found'))) }));
  });
}

function comparison(found) {
  const ids = new Map(whole() ? state.data.photos.map((photo) => [photo.name, photo.id]) : Object.entries(found.ids));
  const named = (name) => (ids.has(name) ? el('a', { href: `#/photo/${ids.get(name)}` }, name) : name);
  const status = (name) => state.data.statuses[name] ?? name;
  const part = (title, items, render) => [el('h2', {}, `${title} (${items.length})`), items.length ? (items.length > 200 ? virtualList(items, (item) => el('div', { class: 'line', tabindex: '-1' }, render(item)), { label: title, height: 40, extra: 'single' }) : list(items.map(render))) : el('p', {}, say('none'))];
  return [el('p', { class: 'verdict' }, say('compare_counts', { added: found.new.length, gone: found.gone.length, moved: found.moved.length, other: found.other.length, same: found.same })),
    part(say('compare_other'), found.other, (other) => [named(other.name), `: ${other.before === other.after ? status(other.after) : `${status(other.before)} → ${status(other.after)}`}`, other.content_differs ? ` · ${say('other_bytes')}` : '',
      other.rules.map(([rule, was, is]) => ` · ${rule}: ${was || say('said_nothing')} → ${is || say('said_nothing')}`)]),
    part(say('compare_new'), found.new, named), part(say('compare_gone'), found.gone, (name) => name), part(say('compare_moved'), found.moved, ([was, is]) => [`${was} → `, named(is)]),
    part(say('compare_versions'), found.versions, ([name, was, is]) => `${name}: ${was || say('none')} → ${is || say('none')}`)];
}

// ------------------------------------------------------------------ corrections

const loadCorrections = () => (taken ? Promise.resolve(taken.corrections) : ask('data/corrections').then(({ said }) => said));

/** When a photo was taken once it is corrected: as the plan has it, else by the clock that was found. */
function correctedBy(camera, photos, lines) {
  const planned = new Map(lines.filter((line) => line.tag === 'DateTimeOriginal' && line.new !== line.old).map((line) => [line.photo, line.new.replace(' ', 'T')]));
  const after = new Map();
  for (const photo of photos) {
    if (planned.has(photo.id)) after.set(photo.id, planned.get(photo.id));
    else if (!planned.size && camera.offset_hours && photo.local) after.set(photo.id, new Date(Date.parse(`${photo.local.slice(0, 19)}Z`) - camera.offset_hours * 3_600_000).toISOString().slice(0, 19));
  }
  return after;
}

let correcting = Promise.resolve();
let planSeen = '';

/** Corrections go one after the other: what somebody else changed meanwhile is refused, what we changed ourselves is not. */
const correct = (what, body = {}) => { correcting = correcting.then(() => corrected(what, body)); return correcting; };

async function corrected(what, body) {
  try {
    announce(say('loading'));
    const { said } = await ask(`correct/${what}`, 'plan' in body ? { ...body, plan: planSeen } : body);
    planSeen = said.plan;
    if (location.hash.startsWith('#/corrections')) route(true);
    const { done } = said;
    announce(done.transaction ? say(`corrected_${what}`, { name: done.transaction, n: done.corrected.length, m: done.refused.length }) : say(`corrected_${what}`, { n: said.lines.length }));
    if (done.refused?.length) notice(done.refused.map(([name, why]) => `${name}: ${why}`).join(' · '));
  } catch (error) {
    announce(error.message);
    notice(error.message, true);
  }
}

function correctionsBody(held) {
  const may = state.data.may_write;
  const wanted = {};
  planSeen = held.plan;
  const input = (name, hint) => el('label', {}, say(`correct_${name}`), el('input', { placeholder: hint, oninput: (event) => { wanted[name] = event.target.value; } }));
  const reference = state.photos.get(state.selected);
  const propose = () => correct('propose', { ...wanted, ...(wanted.reference && reference ? { photo: reference.id } : {}) });
  const apply = () => sure(say('correct_sure', { n: held.lines.length }), () => correct('apply', { plan: held.plan }));
  state.current = { propose: may ? propose : null, apply: may && held.lines.length ? apply : null };
  const form = may ? el('form', { class: 'bar', onsubmit: (event) => { event.preventDefault(); propose(); } },
    el('label', {}, say('camera'), el('select', { onchange: (event) => { wanted.camera = event.target.value; } }, el('option', { value: '' }, say('all')), state.data.cameras.map((camera) => el('option', { value: camera.key }, camera.label || camera.key)))),
    input('offset', '-06:00:00'), input('zone', 'Europe/Berlin'), reference ? el('label', {}, say('correct_reference', { name: shortName(reference.name) }), el('input', { placeholder: '2024-06-15 12:00:00', oninput: (event) => { wanted.reference = event.target.value; } })) : '',
    el('label', { class: 'tick' }, el('input', { type: 'checkbox', onchange: (event) => { wanted.neighbours = event.target.checked; } }), say('correct_neighbours')),
    el('button', { 'aria-keyshortcuts': 'p' }, say('correct_propose'))) : '';
  const line = (change) => {
    const sent = { plan: held.plan, photo: change.photo, tag: change.tag };
    const value = el('input', { value: change.new, 'aria-label': say('correct_new', { tag: change.tag, name: change.name }), disabled: !may, onchange: (event) => correct('edit', { ...sent, new: event.target.value }) });
    const lock = el('input', { type: 'checkbox', checked: change.locked, disabled: !may, 'aria-label': say('correct_lock'), onchange: (event) => correct('edit', { ...sent, locked: event.target.checked }) });
    return el('div', { class: 'line', tabindex: '-1', title: change.reason, 'aria-label': `${change.name}, ${change.tag}` }, change.photo ? el('a', { href: `#/photo/${change.photo}` }, picture(change.photo, change.name)) : el('span'),
      el('span', {}, change.name, el('span', { class: 'quiet under' }, change.reason)), el('span', {}, change.tag, el('span', { class: 'quiet under' }, `${change.old || '–'} →`)), value,
      el('label', { class: 'tick' }, lock, say('correct_lock')), may ? el('button', { type: 'button', onclick: () => correct('edit', { ...sent, drop: true }) }, say('correct_drop')) : '');
  };
  return [form, el('p', { class: 'verdict' }, held.lines.length ? say('correct_lines', { n: held.lines.length }) : say('correct_none')),
    held.lines.length ? [virtualList(held.lines, line, { label: say('corrections'), height: 76, extra: 'correction' }), may ? el('p', { class: 'actions' }, el('button', { type: 'button', 'aria-keyshortcuts': 'a', onclick: apply }, say('correct_apply'))) : ''] : '',
    held.notes.length ? [el('h2', {}, say('correct_notes')), list(held.notes)] : '',
    el('h2', {}, say('correct_done')), held.transactions.length ? el('ul', { class: 'plain' }, [...held.transactions].reverse().map((each) => el('li', {}, `${each.name} · ${clock(each.utc_time)} UTC · ${say('files_n', { n: each.files })}${each.undone ? ` · ${say('correct_undone')}` : each.open ? ` · ${say('correct_open')}` : ''} `,
      may && !each.undone ? el('button', { type: 'button', onclick: () => sure(say('correct_sure_undo', { name: each.name }), () => correct('undo', { transaction: each.name })) }, say('undo')) : ''))) : el('p', {}, say('none'))];
}

function sure(text, then) {
  const dialog = byId('ask');
  const yes = el('button', { value: 'yes' }, say('yes'));
  dialog.replaceChildren(el('form', { method: 'dialog' }, el('h2', {}, text), el('div', { class: 'actions' }, yes, el('button', { value: 'no' }, say('cancel')))));
  dialog.onclose = () => { if (dialog.returnValue === 'yes') then(); };
  dialog.returnValue = '';
  dialog.showModal();
  yes.focus();
}

// ------------------------------------------------------------------ larger pictures

const largeOf = (id) => (taken ? `previews/${id}.jpg` : `large/${id}`);

/** Show one picture, or a pair beside each other, as large as one likes; both move together. */
function zoom(_, photo = state.current?.photo, other = null) {
  if (!photo) return;
  const dialog = byId('zoom');
  const panes = [photo, other].filter(Boolean).map((each) => {
    const image = el('img', { src: taken ? largeOf(each.id) : `preview/${each.id}`, alt: say('picture_of', { name: each.name }) });
    const caption = el('figcaption', {}, `${each.name} · ${clock(each.local) || say('no_time')}`);
    const large = new Image();
    large.addEventListener('load', () => { image.src = large.src; caption.append(` · ${large.naturalWidth} × ${large.naturalHeight}`); fit(); }, { once: true });
    large.addEventListener('error', () => { caption.append(` · ${say('only_small')}`); }, { once: true });
    large.src = largeOf(each.id);
    image.addEventListener('load', () => fit());
    return { image, figure: el('figure', {}, el('div', { class: 'pane', tabindex: '0', role: 'group', 'aria-label': each.name }, image), caption) };
  });
  let times = 1;
  const boxes = panes.map(({ figure }) => figure.firstChild);
  const fit = () => panes.forEach(({ image }, at) => {
    const box = boxes[at];
    if (!image.naturalWidth || !box.clientWidth) return;
    const whole = Math.min(box.clientWidth / image.naturalWidth, box.clientHeight / image.naturalHeight);
    image.style.width = `${Math.max(1, Math.round(image.naturalWidth * whole * times))}px`;
  });
  const scale = (to) => {
    const [x, y] = [(boxes[0].scrollLeft + boxes[0].clientWidth / 2) / times, (boxes[0].scrollTop + boxes[0].clientHeight / 2) / times];
    times = Math.max(1, Math.min(16, to));
    fit();
    for (const box of boxes) { box.scrollLeft = x * times - box.clientWidth / 2; box.scrollTop = y * times - box.clientHeight / 2; }
    announce(say('zoom_n', { n: times.toFixed(1) }));
  };
  const together = (event) => { for (const box of boxes) if (box !== event.target) { box.scrollLeft = event.target.scrollLeft; box.scrollTop = event.target.scrollTop; } };
  for (const box of boxes) {
    box.addEventListener('scroll', together, { passive: true });
    box.addEventListener('wheel', (event) => { if (event.ctrlKey) { event.preventDefault(); scale(times * (event.deltaY < 0 ? 1.25 : 0.8)); } }, { passive: false });
    let grip = null;
    box.addEventListener('pointerdown', (event) => { grip = [event.clientX + box.scrollLeft, event.clientY + box.scrollTop]; box.setPointerCapture(event.pointerId); });
    box.addEventListener('pointermove', (event) => { if (grip) { box.scrollLeft = grip[0] - event.clientX; box.scrollTop = grip[1] - event.clientY; } });
    box.addEventListener('pointerup', () => { grip = null; });
    box.addEventListener('dblclick', () => scale(times > 1 ? 1 : 4));
  }
  const around = other ? Promise.resolve({ coming: [] }) : aside(photo.id);
  const go = async (name) => {
    const id = (await around.catch(() => ({})))[name];
    const row = id && await rowOf(id).catch(() => null);
    if (!row) return;
    state.keepsZoom = true;
    open(id);
    zoom(null, row);
  };
  dialog.onkeydown = (event) => {
    const step = boxes[0].clientWidth / 4;
    const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
    if (event.key === '+' || event.key === '=') scale(times * 1.5);
    else if (event.key === '-') scale(times / 1.5);
    else if (event.key === '0') scale(1);
    else if (event.key === 'z') dialog.close();
    else if (times === 1 && event.key === 'ArrowLeft') go('previous');
    else if (times === 1 && event.key === 'ArrowRight') go('next');
    else if (event.key in moves) boxes[0].scrollBy(...moves[event.key]);
    else return;
    event.preventDefault();
    event.stopPropagation(); // what had the focus may be gone, and the page would take the key for its own
  };
  dialog.replaceChildren(el('div', { class: 'actions' }, el('button', { type: 'button', 'aria-label': say('zoom_in'), onclick: () => scale(times * 1.5) }, '+'), el('button', { type: 'button', 'aria-label': say('zoom_out'), onclick: () => scale(times / 1.5) }, '−'),
    el('button', { type: 'button', onclick: () => scale(1) }, say('zoom_whole')), el('button', { type: 'button', onclick: () => dialog.close() }, say('close')), el('span', { class: 'quiet' }, say('zoom_hint'))),
  el('div', { class: `panes ${other ? 'two' : ''}` }, panes.map(({ figure }) => figure)));
  if (!dialog.open) dialog.showModal();
  boxes[0].focus();
  fit();
  // One after the other: a large picture is made when it is asked for.
  if (!taken) setTimeout(() => around.then(({ coming }) => { for (const id of coming.slice(0, 2)) new Image().src = largeOf(id); }).catch(() => {}), 300);
}

/** How many findings of a cause are open, and whether any is decided. */
const causeHere = (cause) => [
  cause.members.filter(([id, check]) => FOUND.includes(state.photos.get(id)?.found[check]) && !isDecided(id, check)).length,
  cause.members.some(([id, check]) => isDecided(id, check)),
];

function causeCard(cause, isAlone = false) {
  const [open_n, isAnyDecided] = whole() ? causeHere(cause) : state.causes[cause.number - 1];
  // What is explained waits for nobody's decision, and nobody made one by leaving it alone.
  const standing = open_n ? say('undecided_n', { n: open_n })
    : isAnyDecided ? say('decided') : say('nothing_to_decide');
  const name = el('h2', {}, isAlone ? cause.label : el('a', { href: `#/cause/${cause.number}`, 'data-cause': cause.number }, cause.name), ' ',
    el('span', { class: `badge ${cause.outcome}` }, state.data.outcomes[cause.outcome]));
  return el('li', { class: `card ${cause.outcome}` }, name,
    isAlone ? '' : el('p', { class: 'quiet' }, cause.label), el('p', { class: 'wrap' }, cause.summary),
    isAlone && cause.refutable_by ? el('p', { class: 'quiet' }, `${say('refutable_by')}: ${cause.refutable_by}`) : '',
    el('p', { class: 'quiet' }, `${say('photos_n', { n: cause.photos_n })} · ${say('findings_n', { n: cause.members_n })} · ${cause.checks.map((check) => `${check} ${state.data.rules[check] ?? ''}`).join(' · ')}`),
    el('div', { class: 'thumbs' }, cause.thumbs.map(([id, alt]) => el('a', { href: `#/photo/${id}`, tabindex: isAlone ? '0' : '-1' }, picture(id, alt)))),
    cause.first && (isAlone || !open_n) ? verdicts(...cause.first) : '',
    el('p', { class: 'verdict' }, standing),
    state.data.may_write ? [el('p', { class: 'quiet' }, say('decide_cause', { n: cause.members_n })), buttons(() => causeTarget(cause))] : '');
}

const before = (a, b) => (a < b ? -1 : Number(a > b));
/** Those of some photos for which a test holds, in the order that they have. */
const those = (photos, holds) => Object.assign(photos.filter(holds), { isInTime: photos.isInTime });
const inTime = (photos) => (photos.isInTime ? photos : byTime(photos));
const byTime = (photos) => [...photos].sort((a, b) => before(a.local || '9', b.local || '9') || before(a.name, b.name));

/** The photos of a camera, in order of the claimed time. */
function ofCamera(key) {
  if (!state.byCamera) {
    state.byCamera = new Map();
    for (const photo of byTime(state.data.photos)) {
      if (!state.byCamera.has(photo.device)) state.byCamera.set(photo.device, []);
      state.byCamera.get(photo.device).push(photo);
    }
  }
  return state.byCamera.get(key) ?? [];
}

/** The photos before and after one, in the list that it was opened from, and those that are worth having ready. */
async function aside(id) {
  if (whole() && !state.trail.includes(id)) state.trail = state.data.photos.map((photo) => photo.id);
  const at = Array.isArray(state.trail) ? state.trail.indexOf(id) : -1;
  if (at < 0) return (await ask(`data/aside?${asReader({ ...(Array.isArray(state.trail) ? {} : state.trail), photo: id })}`)).said;
  const coming = state.trail.slice(at + 1, at + 1 + AHEAD);
  const [next] = whole() ? undecided().slice(0, AHEAD).filter(([other]) => other !== id) : [];
  return { previous: state.trail[at - 1], next: state.trail[at + 1], coming: [...new Set([...coming, ...(next ? [next[0]] : [])])] };
}

/** Go to the photo before or after the one that is shown. */
async function move(name) {
  const here = state.current;
  const around = await here?.around?.catch(() => null);
  if (around?.[name] && state.current === here) open(around[name]);
}

const ahead = new Map(); // pictures that were asked for early; a browser keeps them as long as somebody holds them
let waitingAhead = 0;
function loadAhead(id) {
  clearTimeout(waitingAhead);
  if (taken) return;
  waitingAhead = setTimeout(() => {
    if (state.current?.photo?.id !== id) return; // who holds a key down is further on already
    state.current.around.then((around) => {
      for (const coming of around.coming) {
        if (!ahead.has(coming)) ahead.set(coming, Object.assign(new Image(), { src: `preview/${coming}` }));
        loadPhoto(coming).catch(() => {});
      }
      while (ahead.size > 4 * AHEAD) ahead.delete(ahead.keys().next().value);
    }).catch(() => {});
  }, 120);
}

// ------------------------------------------------------------------ one photo

function photoBody(photo, shown) {
  const found = shown.findings.filter((finding) => finding.outcome !== 'consistent');
  const agreeing = shown.findings.filter((finding) => finding.outcome === 'consistent');
  const others = [...new Set(found.flatMap((finding) => finding.others))].filter((id) => id !== photo.id && state.photos.has(id));
  return [el('div', { class: 'photo' },
    el('section', { 'aria-label': say('picture') }, el('figure', {}, el('button', { type: 'button', class: 'bare', 'aria-label': `${say('larger')}: ${photo.name}`, onclick: zoom }, picture(photo.id, say('picture_of', { name: photo.name }))),
      el('figcaption', {}, shown.status)), claimTable(shown)),
    el('section', { 'aria-label': say('findings') }, el('h2', {}, say('findings')),
      found.length ? found.map((finding) => findingCard(photo, finding)) : el('p', {}, shown.status),
      agreeing.length ? el('details', {}, el('summary', {}, `${say('consistent')} (${agreeing.length})`), list(agreeing.map((finding) => `${finding.check} ${finding.title}: ${finding.summary}`))) : '',
      shown.not_testable.length ? el('details', {}, el('summary', {}, `${say('not_testable')} (${shown.not_testable.length})`), list(shown.not_testable.map(([check, title, why]) => `${check} ${title}: ${why}`))) : '',
      shown.not_examined.length ? [el('h2', {}, say('not_examined')), list(shown.not_examined.map(([stage, why]) => `${stage}: ${why}`))] : '')),
  others.length ? [el('h2', {}, say('pair')), sideBySide(photo, others), el('p', {}, el('button', { type: 'button', onclick: () => zoom(null, photo, state.photos.get(state.pair ?? others[0])) }, say('larger_pair')))] : '',
  el('h2', {}, say('place')), shown.town ? el('p', {}, say('near_town', shown.town)) : '', placeMap(photo, shown), el('h2', {}, say('neighbours')), neighbours(photo, shown),
  el('h2', {}, say('tags')), tagTable(shown),
  shown.warnings.length ? [el('h2', {}, say('warnings')), list(shown.warnings)] : '',
  el('h2', {}, say('file')), el('dl', {}, Object.entries(shown.file).map(([name, value]) => [el('dt', {}, name), el('dd', {}, String(value))]))];
}

function findingCard(photo, finding) {
  const heading = el('h3', {}, `${finding.check} ${finding.title} `, el('span', { class: `badge ${finding.outcome}` }, state.data.outcomes[finding.outcome]));
  const parts = [['observed', finding.observed], ['derived', finding.derived], ['inferred', finding.inferred], ['innocent_left', finding.innocent], ['limitations', finding.limitations]];
  const card = el('article', { class: `card ${finding.outcome}`, tabindex: '0', 'data-check': finding.check },
    heading, el('p', { class: 'wrap' }, finding.summary),
    el('p', { class: 'quiet' }, [finding.severity, finding.confidence, finding.p_value === null ? '' : `p = ${finding.p_value.toPrecision(2)}`, finding.log10_lr === null ? '' : `log10 LR = ${finding.log10_lr.toFixed(2)}`].filter(Boolean).join(' · ')),
    parts.filter(([, texts]) => texts.length).map(([name, texts]) => [el('strong', {}, say(name)), list(texts)]),
    el('div', { class: 'verdicts' }, verdicts(photo.id, finding.check)),
    buttons(() => ({ sent: { findings: [[photo.id, finding.check]] }, what: `${finding.check}, ${shortName(photo.name)}` })));
  card.addEventListener('focusin', () => { if (state.current?.photo === photo) { state.current.check = finding.check; markFinding(false); } });
  return card;
}

function markFinding(focus = true) {
  const check = state.current?.check;
  for (const card of document.querySelectorAll('article[data-check]')) {
    const here = card.dataset.check === check;
    card.setAttribute('aria-current', here ? 'true' : 'false');
    if (here && focus && document.activeElement !== card) { card.focus({ preventScroll: true }); card.scrollIntoView({ block: 'nearest' }); }
  }
}

function claimTable(shown) {
  const head = el('thead', {}, el('tr', {}, ['quantity', 'value', 'tag', 'raw'].map((name) => el('th', { scope: 'col' }, say(name)))));
  const rows = shown.claim.flatMap(([label, value, tag, raw, rivals]) => [
    el('tr', {}, el('th', { scope: 'row' }, label), el('td', {}, value === null ? el('span', { class: 'quiet' }, tag) : String(value)), el('td', {}, value === null ? '' : tag ?? ''), el('td', {}, raw)),
    ...rivals.map(([other, otherTag, otherRaw]) => el('tr', { class: 'quiet' }, el('td', {}, ''), el('td', {}, String(other)), el('td', {}, otherTag), el('td', {}, otherRaw)))]);
  if (shown.sun) rows.push(el('tr', {}, el('th', { scope: 'row' }, say('sun')), el('td', { colspan: 3 }, shown.sun)));
  const seen = shown.indicated;
  const told = seen.not_examined ? [el('p', { class: 'quiet' }, seen.not_examined)] : [el('dl', {}, ['local_hour', 'year_turn', 'position'].map((name) => [
    el('dt', {}, say(`ind_${name}`)), el('dd', {}, seen[name].untold ?? seen[name].value)]))];
  return [el('h2', {}, say('claim')), shown.no_claim ? el('p', {}, shown.no_claim) : el('div', { class: 'scroll' }, el('table', {}, head, el('tbody', {}, rows))),
    el('h2', {}, say('indicated')), told];
}

function sideBySide(photo, others) {
  const box = el('div', { class: 'pair' });
  state.pair = others[0];
  const show = (other) => (state.pair = other.id) && box.replaceChildren(...[photo, other].map((each) => el('figure', {}, el('a', { href: `#/photo/${each.id}` }, picture(each.id, each.name)),
    el('figcaption', {}, `${each.name} · ${clock(each.local) || say('no_time')}`))));
  show(state.photos.get(others[0]));
  const chooser = others.length > 1 ? el('select', { 'aria-label': say('pair'), onchange: (event) => show(state.photos.get(event.target.value)) },
    others.map((id) => el('option', { value: id }, state.photos.get(id).name))) : '';
  return [chooser, box];
}

function neighbours(photo, shown) {
  if (!photo.local) return el('p', { class: 'quiet' }, say('no_time'));
  const row = whole() ? ofCamera(photo.device).filter((each) => each.local) : shown.beside.map((id) => state.photos.get(id)).filter(Boolean);
  const at = row.findIndex((each) => each.id === photo.id);
  return el('ul', { class: 'strip' }, row.slice(Math.max(0, at - 3), at + 4).map((each) => el('li', {}, el('a', { href: `#/photo/${each.id}`, 'aria-current': each.id === photo.id ? 'true' : null },
    picture(each.id, ''), `${clock(each.local)} ${shortName(each.name)}`))));
}

function tagTable(shown) {
  const body = el('tbody');
  const count = el('p', { class: 'quiet', role: 'status' });
  const fill = (text) => {
    const wanted = text.toLowerCase();
    const rows = shown.tags.filter(([tag, value]) => `${tag} ${value}`.toLowerCase().includes(wanted));
    body.replaceChildren(...rows.map(([tag, value]) => el('tr', {}, el('th', { scope: 'row' }, tag), el('td', {}, value))));
    count.textContent = say('tags_n', { n: rows.length, of: shown.tags.length });
  };
  fill('');
  return [el('div', { class: 'bar' }, el('label', {}, say('search_tags'), el('input', { type: 'search', id: 'search', oninput: (event) => fill(event.target.value) }))), count,
    el('div', { class: 'scroll' }, el('table', {}, body))];
}

// ------------------------------------------------------------------ maps and lines of time

const colour = (photo) => getComputedStyle(document.documentElement).getPropertyValue(`--${worst(photo) || 'good'}`).trim();
const styled = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

async function baseMap(place) {
  const { L } = globalThis;
  const shapes = await loadWorld().catch(() => null);
  await new Promise((done) => { requestAnimationFrame(done); });
  if (!shapes) notice(say('stopped'));
  if (!shapes || !place.isConnected) return null;
  const map = L.map(place, { crs: L.CRS.EPSG4326, preferCanvas: true, attributionControl: false, maxBounds: [[-100, -200], [100, 200]], minZoom: 0, maxZoom: 12, zoomSnap: 0.5, keyboard: true });
  map.setView([20, 10], 1);
  const points = (ring) => { let x = 0; let y = 0; const out = []; for (let index = 0; index < ring.length; index += 2) { x += ring[index]; y += ring[index + 1]; out.push([y / shapes.scale, x / shapes.scale]); } return out; };
  L.polygon(shapes.land.map((ring) => [points(ring)]), { stroke: false, fillColor: styled('--land'), fillOpacity: 1, interactive: false }).addTo(map);
  L.polyline(shapes.borders.map(points), { color: styled('--border'), weight: 0.7, interactive: false }).addTo(map);
  map.attributionControl?.remove();
  return map;
}

/** Write the names of towns on a map, the greater first; one that would lie on another is left out. */
function nameTowns(map, layer, towns) {
  const { L } = globalThis;
  const kept = [];
  layer.clearLayers();
  for (const [name, ...at] of towns) {
    const { x, y } = map.latLngToContainerPoint(at);
    if (kept.some(([left, top, wide]) => Math.abs(y - top) < 16 && x < left + wide && left < x + 7 * name.length + 12)) continue;
    kept.push([x, y, 7 * name.length + 12]);
    L.circleMarker(at, { radius: 2, stroke: false, fillColor: styled('--ink'), fillOpacity: 0.8, interactive: false })
      .bindTooltip(el('span', {}, name), { permanent: true, direction: 'right', offset: [2, 0], className: 'town' }).addTo(layer);
  }
}

const dotName = (photo) => photo.name ?? (clock(photo.local) || say('no_time'));

/** Of many photos those that lie within some pixels of each other are one mark. */
function clustered(map, photos) {
  if (photos.length <= MANY) return photos.map((photo) => ({ photo, n: 1, gravest: worst(photo) }));
  const cells = new Map();
  const shown = map.getBounds().pad(0.2);
  for (const photo of photos) {
    if (shown.contains(photo.at)) {
      const { x, y } = map.project(photo.at);
      const key = `${Math.round(x / 9)} ${Math.round(y / 9)}`;
      const cell = cells.get(key);
      if (!cell) cells.set(key, { photo, n: 1, gravest: worst(photo) });
      else {
        cell.n += 1;
        if (isGraver(worst(photo), cell.gravest)) Object.assign(cell, { photo, gravest: worst(photo) });
      }
    }
  }
  return [...cells.values()];
}

const isGraver = (first, second) => { const order = ['', 'explained', 'suspicious', 'contradiction']; return order.indexOf(first) > order.indexOf(second); };

async function drawMap(place, photos, picked, { track = false } = {}) {
  const map = await baseMap(place);
  if (!map) return () => {};
  const { L } = globalThis;
  const marks = L.layerGroup().addTo(map);
  const ring = L.circleMarker([0, 0], { radius: 11, color: styled('--ink'), weight: 3, fill: false, interactive: false });
  let held = [];
  const mark = () => {
    marks.clearLayers();
    if (track) L.polyline(inTime(held).filter((photo) => photo.local).map((photo) => photo.at), { color: styled('--quiet'), weight: 1.5, interactive: false }).addTo(marks);
    for (const { photo, n, gravest } of clustered(map, held)) {
      const text = el('span', {}, n > 1 ? say('photos_n', { n }) : dotName(photo));
      L.circleMarker(photo.at, { radius: Math.min(14, 6 + Math.log2(n)), color: styled('--paper'), weight: 1, fillColor: styled(`--${gravest || 'good'}`), fillOpacity: 0.9 }).bindTooltip(text).on('click', () => picked(photo)).addTo(marks);
    }
  };
  place.draw = (shown) => {
    held = shown;
    if (shown.length) map.fitBounds(L.latLngBounds(shown.map((photo) => photo.at)).pad(0.3), { maxZoom: 7, animate: false });
    mark();
  };
  const towns = L.layerGroup().addTo(map);
  let asked = 0;
  const nameThem = async () => {
    const bounds = map.getBounds();
    const mine = (asked += 1);
    if (taken || map.getZoom() < 3) { towns.clearLayers(); return; }
    const [south, north] = [Math.max(-90, bounds.getSouth()), Math.min(90, bounds.getNorth())];
    const found = await ask(`data/places?${new URLSearchParams({ south, north, west: bounds.getWest(), east: bounds.getEast() })}`).catch(() => null);
    if (found && mine === asked && place.isConnected) nameTowns(map, towns, found.said);
  };
  map.on('moveend', () => { if (held.length > MANY) mark(); nameThem(); });
  place.draw(photos);
  return (photo) => { if (photo.at) { ring.setLatLng(photo.at).addTo(map); map.panTo(photo.at, { animate: false }); } else ring.remove(); };
}

function placeMap(photo, shown) {
  if (!photo.at) return el('p', { class: 'quiet' }, say('no_place'));
  const place = el('div', { class: 'map small', role: 'group', 'aria-label': `${say('claimed_place')}: ${photo.at.join(', ')}` });
  baseMap(place).then((map) => {
    if (!map) return;
    const { L } = globalThis;
    nameTowns(map, L.layerGroup().addTo(map), shown.town?.around ?? []);
    L.circleMarker(photo.at, { radius: 8, color: styled('--paper'), weight: 2, fillColor: colour(photo), fillOpacity: 1 }).bindTooltip(el('span', {}, say('claimed_place'))).addTo(map);
    const seen = shown.indicated.position?.value?.split(', ').map(Number);
    if (seen) {
      L.circleMarker(seen, { radius: 8, color: styled('--link'), weight: 3, fill: false }).bindTooltip(el('span', {}, say('indicated_place'))).addTo(map);
      map.fitBounds(L.latLngBounds([photo.at, seen]).pad(0.4), { maxZoom: 5, animate: false });
    } else map.setView(photo.at, 3, { animate: false });
  });
  return place;
}

/** A line a camera, a dot a photo, at its claimed local time; below it, where it goes when it is corrected. */
function timeline(photos, picked, opened = picked, after = new Map()) {
  const timed = inTime(photos).filter((photo) => photo.local);
  const name = timed[0]?.id ? 'id' : 'row';
  const numbers = new Map(timed.map((photo, index) => [photo[name], index]));
  if (!timed.length) return el('p', { class: 'quiet' }, say('no_time'));
  const keys = [...new Set(timed.map((photo) => photo.device))];
  const rowOf = new Map(keys.map((key, index) => [key, index]));
  const labels = new Map(state.data.cameras.map((camera) => [camera.key, camera.label || camera.key]));
  const [wide, left, line] = [1000, 12, after.size ? 72 : 34];
  const time = (iso) => Date.parse(`${iso.slice(0, 19)}Z`);
  const when = (photo) => time(photo.local);
  let [start, end] = [when(timed[0]), when(timed.at(-1))];
  for (const iso of after.values()) { start = Math.min(start, time(iso)); end = Math.max(end, time(iso)); }
  const along = (moment) => left + ((moment - start) / Math.max(1, end - start)) * (wide - 2 * left);
  const x = (photo) => along(when(photo));
  const y = (photo) => rowOf.get(photo.device) * line + 24;
  const drawing = el('svg:svg', { class: 'time', viewBox: `0 0 ${wide} ${keys.length * line + 24}`, role: 'application', tabindex: '0', 'aria-label': `${say('timeline')}. ${say('timeline_hint')}` });
  keys.forEach((key, index) => {
    const at = index * line + 24;
    drawing.append(el('svg:text', { x: left, y: at - 9 }, `${(labels.get(key) ?? key).slice(0, 80)}${after.size ? ` · ${say('as_claimed')}` : ''}`), el('svg:line', { class: 'axis', x1: left, x2: wide - left, y1: at, y2: at }));
    if (after.size) drawing.append(el('svg:text', { x: left, y: at + 41 }, say('as_corrected')), el('svg:line', { class: 'axis', x1: left, x2: wide - left, y1: at + 26, y2: at + 26 }));
  });
  // Of very many photos those that would lie on each other are one dot.
  const dots = new Map();
  for (const photo of timed) {
    const key = timed.length > MANY ? `${y(photo)} ${Math.round(x(photo) / 3)}` : photo[name];
    const dot = dots.get(key);
    if (!dot) dots.set(key, { photo, n: 1 });
    else { dot.n += 1; if (isGraver(worst(photo), worst(dot.photo))) dot.photo = photo; }
  }
  for (const { photo, n } of dots.values()) {
    const dot = el('svg:circle', { class: `dot ${worst(photo)}`, cx: x(photo).toFixed(1), cy: y(photo), r: 5 }, el('svg:title', {}, n > 1 ? say('photos_n', { n }) : `${photo.name ?? ''} ${photo.local}`));
    dot.addEventListener('click', () => { mark(photo); picked(photo); });
    drawing.append(dot);
    const moved = after.get(photo.id);
    if (moved) {
      const to = along(time(moved)).toFixed(1);
      drawing.append(el('svg:line', { class: 'moved', x1: x(photo).toFixed(1), x2: to, y1: y(photo), y2: y(photo) + 26 }), el('svg:circle', { class: 'dot after', cx: to, cy: y(photo) + 26, r: 4 }, el('svg:title', {}, `${photo.name ?? ''} ${moved.replace('T', ' ')}`)));
    }
  }
  const stamp = (moment) => new Date(moment).toISOString().slice(0, 16).replace('T', ' ');
  drawing.append(el('svg:text', { x: left, y: keys.length * line + 18 }, stamp(start)), el('svg:text', { x: wide - left, y: keys.length * line + 18, 'text-anchor': 'end' }, stamp(end)));
  const now = el('svg:circle', { class: 'now', r: 8 });
  let at = -1;
  const mark = (photo) => {
    at = numbers.get(photo[name]) ?? -1;
    if (at < 0) { now.remove(); return; }
    now.setAttribute('cx', x(photo).toFixed(1));
    now.setAttribute('cy', y(photo));
    drawing.append(now);
  };
  drawing.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && at >= 0) { event.preventDefault(); event.stopPropagation(); rowOfDot(timed[at]).then(opened).catch((error) => announce(error.message)); return; }
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: timed.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    at = Math.max(0, Math.min(timed.length - 1, to));
    mark(timed[at]);
    const dot = timed[at];
    rowOfDot(dot).then((photo) => { if (timed[at] === dot) announce(`${photo.name}, ${clock(photo.local)}`); }).catch((error) => announce(error.message));
    if (opened !== picked) picked(dot);
  });
  drawing.mark = mark;
  return drawing;
}

/** What the camera counted, against the time it claims: a clock that was moved is a step, a counter goes on. */
function counterChart(photos, picked) {
  const rows = [...photos].sort((a, b) => a.counter[1] - b.counter[1]);
  const when = (photo) => Date.parse(`${photo.local.slice(0, 19)}Z`);
  const times = rows.map(when);
  const [low, high] = [rows[0].counter[1], rows.at(-1).counter[1]];
  const start = times.reduce((a, b) => Math.min(a, b));
  const end = times.reduce((a, b) => Math.max(a, b));
  const x = (photo) => 60 + ((photo.counter[1] - low) / Math.max(1, high - low)) * 920;
  const y = (photo) => 200 - ((when(photo) - start) / Math.max(1, end - start)) * 180;
  const drawing = el('svg:svg', { class: 'time', viewBox: '0 0 1000 230', role: 'img', 'aria-label': say('counter_of', { tag: rows[0].counter[0], low, high }) });
  drawing.append(el('svg:path', { class: 'track', d: rows.map((photo, at) => `${at ? 'L' : 'M'}${x(photo).toFixed(1)} ${y(photo).toFixed(1)}`).join('') }));
  const dots = new Map(rows.map((photo) => [rows.length > MANY ? `${Math.round(x(photo) / 3)} ${Math.round(y(photo) / 3)}` : photo, photo]));
  for (const photo of dots.values()) {
    const dot = el('svg:circle', { class: `dot ${worst(photo)}`, cx: x(photo).toFixed(1), cy: y(photo).toFixed(1), r: 4 }, el('svg:title', {}, `${photo.counter[1]} · ${photo.name ?? ''} · ${clock(photo.local)}`));
    dot.addEventListener('click', () => picked(photo));
    drawing.append(dot);
  }
  drawing.append(el('svg:text', { x: 60, y: 222 }, `${rows[0].counter[0]} ${low}`), el('svg:text', { x: 980, y: 222, 'text-anchor': 'end' }, String(high)),
    el('svg:text', { x: 4, y: 16 }, new Date(end).toISOString().slice(0, 10)), el('svg:text', { x: 4, y: 200 }, new Date(start).toISOString().slice(0, 10)));
  const now = el('svg:circle', { class: 'now', r: 8 });
  const mark = (photo) => { if (!photo.counter || !photo.local) { now.remove(); return; } now.setAttribute('cx', x(photo).toFixed(1)); now.setAttribute('cy', y(photo).toFixed(1)); drawing.append(now); };
  return { drawing, mark };
}

function curve(points) {
  const [low, high] = [points[0][0], points.at(-1)[0]];
  const top = Math.max(...points.map(([, mass]) => mass));
  const x = (hours) => 20 + ((hours - low) / Math.max(1e-9, high - low)) * 960;
  const drawing = el('svg:svg', { class: 'curve', viewBox: '0 0 1000 150', role: 'img', 'aria-label': say('curve') });
  drawing.append(el('svg:line', { class: 'axis', x1: 20, x2: 980, y1: 125, y2: 125 }),
    el('svg:path', { d: points.map(([hours, mass], index) => `${index ? 'L' : 'M'}${x(hours).toFixed(1)} ${(125 - (mass / top) * 110).toFixed(1)}`).join('') }),
    el('svg:text', { x: 20, y: 145 }, `${low.toFixed(1)} h`), el('svg:text', { x: 980, y: 145, 'text-anchor': 'end' }, `${high.toFixed(1)} h`));
  return drawing;
}

// ------------------------------------------------------------------ frame, keys, ways

function notice(text, reload = false) {
  const place = byId('notice');
  place.replaceChildren(text, ' ', reload ? el('button', { type: 'button', onclick: () => location.reload() }, say('reload')) : '');
  place.hidden = !text;
}

function frame() {
  const { data } = state;
  document.documentElement.lang = data.language;
  document.title = `${say('title')} ${data.header[0] || shortName(data.folder)}`;
  byId('skip').textContent = say('skip');
  const links = VIEWS.map((name, index) => el('a', { href: `#/${name}`, 'data-view': name, 'aria-keyshortcuts': String(index + 1) }, say(name)));
  const language = data.languages.length > 1 && !taken ? el('select', { 'aria-label': say('language'), onchange: (event) => begin(event.target.value) }, data.languages.map((name) => el('option', { value: name, selected: name === data.language }, name))) : '';
  byId('bar').replaceChildren(el('strong', {}, `gtloc ${say('title')}`), el('nav', { 'aria-label': say('views') }, links),
    ...[language, el('button', { type: 'button', onclick: theme, 'aria-keyshortcuts': 't' }, say('theme')),
      taken ? '' : el('button', { type: 'button', id: 'others', onclick: others, 'aria-keyshortcuts': 'o', 'aria-pressed': String(state.others) }, say(state.others ? 'hide_others' : 'show_others')),
      data.may_write ? [el('button', { type: 'button', onclick: undo, 'aria-keyshortcuts': 'u' }, say('undo')), el('button', { type: 'button', onclick: redo, 'aria-keyshortcuts': 'Shift+U' }, say('redo'))] : '',
      el('button', { type: 'button', onclick: help, 'aria-keyshortcuts': '?' }, say('help'))].flat().filter(Boolean));
  const said = [taken ? say('portable') : data.may_write ? say('deciding_as', { name: data.examiner }) : say('read_only')];
  if (state.hidden) said.push(say('hidden_others', { n: state.hidden }));
  notice(said.join(' '));
}

function help() {
  const lines = ['move', 'open', 'confirm', 'innocent', 'dismiss', 'second', 'note', 'all', 'repeat', 'next', 'undo', 'larger', 'search', 'like', 'correct', 'views', 'others', 'theme', 'help'];
  const tick = el('input', { type: 'checkbox', checked: state.keys, onchange: (event) => { state.keys = event.target.checked; } });
  byId('keys').replaceChildren(el('form', { method: 'dialog' }, el('h2', {}, say('help')), list(lines.map((name) => say(`key_${name}`))),
    el('label', { class: 'tick' }, tick, say('keys_on')), el('button', {}, say('close'))));
  byId('keys').showModal();
}

function theme() {
  const root = document.documentElement;
  root.dataset.theme = root.dataset.theme === 'dark' ? 'light' : 'dark';
  if (state.data) route();
}

async function others() {
  state.others = !state.others;
  await loadDecisions();
  frame();
  route();
}

/** Draw again what is there, the finding that was marked still marked. */
function refresh() {
  frame();
  route(true);
}

let ways = 0;

function route(stay = false) {
  const [name, ...rest] = decodeURIComponent(location.hash.replace(/^#\/?/, '') || 'causes').split('/');
  const id = name === 'photo' ? rest[0] : name === 'find' ? rest[1] : '';
  const mine = (ways += 1);
  // A photo of a large case is asked for before its page is drawn; who went on meanwhile is not brought back.
  if (id && !whole() && !state.fresh.has(id)) rowOf(id).then(() => { if (mine === ways) draw(name, rest, stay); }).catch((error) => announce(error.message));
  else draw(name, rest, stay);
}

function draw(name, rest, stay) {
  const before = state.current;
  const focused = document.activeElement?.dataset?.cause;
  const y = globalThis.scrollY;
  state.current = null;
  if (!state.keepsZoom) byId('zoom').close();
  state.keepsZoom = false;
  if (name === 'causes' || name === 'cause') state.trail = whole() ? [...new Set(queue().map(([id]) => id))] : { work: 1 };
  const view = Object.hasOwn(views, name) ? views[name] : views.missing;
  byId('main').replaceChildren(...parts(view(...rest)));
  for (const link of document.querySelectorAll('nav a')) {
    const here = link.dataset.view === name || (name === 'cause' && link.dataset.view === 'causes') || (name === 'photo' && link.dataset.view === 'photos') || (name === 'camera' && link.dataset.view === 'cameras');
    if (here) link.setAttribute('aria-current', 'page'); else link.removeAttribute('aria-current');
  }
  if (stay) {
    if (before?.photo && state.current?.photo?.id === before.photo.id) state.current.check = before.check;
    if (focused) document.querySelector(`[data-cause="${Number(focused)}"]`)?.focus();
    globalThis.scrollTo(0, y);
  } else {
    byId('main').focus({ preventScroll: true });
    globalThis.scrollTo(0, 0);
  }
}

function step(by) {
  const here = state.current;
  if (here?.photo) {
    const cards = [...document.querySelectorAll('article[data-check]')];
    const at = cards.findIndex((card) => card.dataset.check === here.check);
    const next = cards[Math.max(0, Math.min(cards.length - 1, at + by))];
    if (next) { here.check = next.dataset.check; markFinding(); }
    return;
  }
  const box = document.querySelector('.list');
  const links = [...document.querySelectorAll('.cards h2 a')];
  if (links.length) {
    const at = links.indexOf(document.activeElement);
    links[Math.max(0, Math.min(links.length - 1, at + by))].focus();
  } else if (box) box.move(0);
}

const whenReady = (name) => Promise.resolve(state.current?.ready).then(() => state.current?.[name]?.());

const acts = {
  ArrowDown: () => step(1), ArrowUp: () => step(-1),
  ArrowLeft: () => move('previous'), ArrowRight: () => move('next'),
  Escape: () => { if (location.hash.startsWith('#/photo/') || location.hash.startsWith('#/cause/') || location.hash.startsWith('#/camera/')) history.back(); },
  n: () => goToUndecided(), u: undo, U: redo, o: () => { if (!taken) others(); }, t: theme, '?': help,
  e: () => { const aim = focusedTarget(); if (aim) askWhy('confirmed', aim); },
  r: () => { if (state.last) decideAndGoOn(state.last.decision, focusedTarget(), { ...state.last.words, replaces: undefined }); else announce(say('nothing_to_repeat')); },
  z: () => zoom(), p: () => whenReady('propose'), a: () => whenReady('apply'),
  f: () => { if (state.current?.photo) location.hash = `#/find/like/${state.current.photo.id}`; },
  '/': () => { if (byId('search')) byId('search').focus(); else { location.hash = '#/find'; setTimeout(() => byId('search')?.focus(), 60); } },
};

function focusedTarget(all = false) {
  const number = document.activeElement?.dataset?.cause;
  return number ? causeTarget(state.data.causes[Number(number) - 1]) : target(all);
}

document.addEventListener('keydown', (event) => {
  const writing = event.target.closest?.('input:not([type=checkbox]), textarea, select, dialog');
  if (!state.data || !state.keys || writing || event.ctrlKey || event.altKey || event.metaKey) return;
  if (event.target.closest?.('.leaflet-container')) return;
  const lower = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  let act = acts[event.key];
  if (lower in LETTERS) act = () => decideAndGoOn(LETTERS[lower], focusedTarget(event.shiftKey));
  if (/^[1-9]$/.test(event.key)) act = () => { location.hash = `#/${VIEWS[Number(event.key) - 1]}`; };
  if (!act) return;
  event.preventDefault();
  act();
});

globalThis.addEventListener('hashchange', () => route());

async function begin(language = '') {
  details.clear();
  try {
    state.data = await loadCase(language);
    state.photos = new Map((state.data.photos ?? []).map((photo) => [photo.id, photo]));
    state.fresh.clear();
    state.order = null;
    state.byCamera = null;
    await loadDecisions();
    frame();
    route();
    document.body.dataset.ready = 'yes';
  } catch (error) {
    notice(error.message);
  }
}

if (globalThis.matchMedia('(prefers-color-scheme: dark)').matches) document.documentElement.dataset.theme = 'dark';
begin();
