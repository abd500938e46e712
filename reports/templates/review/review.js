// The review pages: one module, no framework. Everything that comes from the case is put in as text, never as markup.
// With a service behind it the case comes by fetch; in a folder that was taken away it stands in GTLOC_REVIEW.

const taken = globalThis.GTLOC_REVIEW;
const HEADER = { 'X-Gtloc-Review': '1', 'Content-Type': 'application/json' };
const FOUND = ['contradiction', 'suspicious'];
const LETTERS = { c: 'confirmed', i: 'innocent', d: 'dismissed', s: 'second_reader' };
const VIEWS = ['causes', 'photos', 'map', 'cameras', 'unseen', 'custody'];
const ROW_PX = 64;

const state = {
  data: null, photos: new Map(), reviewed: {}, made: new Map(), hidden: 0, others: Boolean(taken),
  undone: [], last: null, keys: true, current: null, trail: [], filter: { text: '', status: '', device: '', undecided: false },
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

async function ask(path, body) {
  const options = body === undefined
    ? { credentials: 'same-origin' }
    : { method: 'POST', headers: HEADER, body: JSON.stringify(body), credentials: 'same-origin' };
  let answer;
  try {
    answer = await fetch(path, options);
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
  for (;;) {
    const { said, status } = await ask(`data/case?language=${encodeURIComponent(language)}`);
    if (status !== 202) return said;
    byId('main').textContent = `${said.reading} / ${said.of}`;
    await new Promise((done) => { setTimeout(done, 400); });
  }
}

async function loadDecisions() {
  const said = taken ? taken.decisions : (await ask(`data/decisions?others=${state.others ? 1 : 0}`)).said;
  state.reviewed = said.reviewed;
  state.made = new Map(said.made.map((made) => [made.event, made]));
  state.hidden = said.hidden;
}

const details = new Map();
function loadPhoto(id) {
  if (!details.has(id)) {
    const coming = taken ? takenPhoto(id) : ask(`data/photo/${id}?language=${state.data.language}`).then(({ said }) => said);
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
  return order;
}

const undecided = () => queue().filter(([id, check]) => !isDecided(id, check));

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
  const target = { sent: { findings: made.findings }, what: say('findings_n', { n: made.findings.length }) };
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

const causeTarget = (cause) => ({ sent: { cause: cause.number }, what: `${cause.name}, ${say('findings_n', { n: cause.members.length })}` });

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

function goToUndecided(told = '') {
  const left = undecided();
  if (!left.length) {
    announce(`${told}${queue().length ? say('all_decided') : say('no_findings')}`);
    if (location.hash.startsWith('#/photo/')) location.hash = '#/causes';
    return;
  }
  const order = queue().map(([id, check]) => keyOf(id, check));
  const here = state.current?.photo ? order.indexOf(keyOf(state.current.photo.id, state.current.check)) : -1;
  const places = left.map(([id, check]) => order.indexOf(keyOf(id, check)));
  const next = left[Math.max(0, places.findIndex((place) => place > here))];
  open(next[0], next[1]);
}

function open(id, check = '') {
  const wanted = `#/photo/${id}${check ? `/${check}` : ''}`;
  if (location.hash === wanted) route(); else location.hash = wanted;
}

function verdicts(id, check) {
  return standings(id, check).map((item) => el('p', { class: `verdict ${item.standing === 'overtaken' ? 'overtaken' : ''}` },
    say('decided_by', { decision: say(item.decision), name: item.examiner, time: `${clock(item.utc_time)} UTC` }),
    item.because ? `: ${item.because}` : '', item.note ? ` (${item.note})` : '',
    item.standing === 'current' ? '' : el('span', { class: 'quiet' }, ` · ${say(item.standing)}`)));
}

function buttons(aim) {
  if (!state.data.may_write) return '';
  return el('div', { class: 'actions', role: 'group', 'aria-label': aim().what }, Object.entries(LETTERS).map(([letter, decision]) => el('button', {
    type: 'button', 'aria-keyshortcuts': letter, onclick: () => decideAndGoOn(decision, aim()),
  }, say(decision))));
}

// ------------------------------------------------------------------ lists that know no length

/** A list of any length: only what is in sight is there. Rows are links; up and down move. */
function virtualList(items, render, { label, height = ROW_PX, extra = '' }) {
  const all = el('div', { class: 'all', role: 'list', 'aria-label': label });
  const box = el('div', { class: 'list', tabindex: '-1' }, all);
  all.style.height = `${items.length * height}px`;
  const shown = new Map();
  let at = 0;
  const draw = () => {
    const first = Math.max(0, Math.floor(box.scrollTop / height) - 6);
    const last = Math.min(items.length, Math.ceil((box.scrollTop + box.clientHeight) / height) + 6);
    for (const [index, row] of shown) if ((index < first || index >= last) && !row.contains(document.activeElement)) { row.remove(); shown.delete(index); }
    for (let index = first; index < last; index += 1) {
      if (!shown.has(index)) {
        const line = render(items[index], index);
        line.tabIndex = index === at ? 0 : -1;
        line.addEventListener('focus', () => { at = index; });
        const row = el('div', { class: `row ${extra}`, role: 'listitem', 'aria-posinset': index + 1, 'aria-setsize': items.length }, line);
        row.style.height = `${height}px`;
        row.style.top = `${index * height}px`;
        all.append(row);
        shown.set(index, row);
      }
    }
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
  queueMicrotask(draw);
  return box;
}

function photoRow(photo) {
  const isOpen = openChecks(photo).length > 0;
  const wasDecided = !isOpen && Object.keys(photo.found).some((check) => isDecided(photo.id, check));
  const outcomes = Object.entries(photo.found).map(([check, outcome]) => el('span', { class: outcome }, `${check} `));
  const status = state.data.statuses[photo.status];
  return el('a', { class: 'line', href: `#/photo/${photo.id}` }, picture(photo.id, ''), el('span', {}, photo.name),
    el('span', {}, clock(photo.local) || say('no_time')),
    el('span', {}, outcomes.length ? outcomes : status, wasDecided ? el('span', { class: 'quiet' }, say('decided')) : ''));
}

/** The gravest of what was found of a photo; "" when nothing was. */
const worst = (photo) => [...FOUND, 'explained'].find((outcome) => Object.values(photo.found).includes(outcome)) ?? '';

// ------------------------------------------------------------------ the views

const views = {
  causes() {
    const { data } = state;
    const left = undecided().length;
    const cards = data.causes.map((cause) => causeCard(cause));
    return [el('h1', {}, say('causes')), el('p', {}, say('counts', data.counts)),
      el('p', { class: 'verdict' }, left ? say('undecided_n', { n: left }) : say(queue().length ? 'all_decided' : 'no_findings')),
      left ? el('p', {}, el('button', { type: 'button', onclick: () => goToUndecided() }, say('next_undecided'))) : '',
      el('ul', { class: 'cards', 'aria-label': say('causes') }, cards)];
  },

  cause(number) {
    const cause = state.data.causes[Number(number) - 1];
    if (!cause) return views.missing();
    const photos = cause.photos.map((id) => state.photos.get(id)).filter(Boolean);
    state.current = { cause };
    return [el('h1', {}, cause.name), el('ul', { class: 'cards' }, causeCard(cause, true)),
      virtualList(photos, photoRow, { label: cause.name })];
  },

  photos() {
    const { filter } = state;
    const holder = el('div');
    const count = el('p', { role: 'status' });
    const fill = () => {
      const text = filter.text.toLowerCase();
      const found = state.data.photos.filter((photo) => (!text || photo.name.toLowerCase().includes(text))
        && (!filter.status || photo.status === filter.status || (filter.status === 'not_examined' && photo.partial))
        && (!filter.device || photo.device === filter.device)
        && (!filter.undecided || openChecks(photo).length > 0));
      state.trail = found.map((photo) => photo.id);
      count.textContent = say('shown_n', { n: found.length, of: state.data.photos.length });
      holder.replaceChildren(virtualList(found, photoRow, { label: say('photos') }));
    };
    const choose = (name, options) => el('select', { onchange: (event) => { filter[name] = event.target.value; fill(); } },
      el('option', { value: '' }, say('all')), options.map(([value, text]) => el('option', { value, selected: filter[name] === value }, text)));
    const controls = el('form', { class: 'bar', role: 'search', onsubmit: (event) => event.preventDefault() },
      el('label', {}, say('search'), el('input', { type: 'search', id: 'search', value: filter.text, oninput: (event) => { filter.text = event.target.value; fill(); } })),
      el('label', {}, say('result'), choose('status', Object.entries(state.data.statuses))),
      el('label', {}, say('camera'), choose('device', state.data.cameras.map((camera) => [camera.key, camera.label || camera.key]))),
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
    loadPhoto(id).then((shown) => { if (state.current?.photo === photo) body.replaceChildren(...parts(photoBody(photo, shown))); markFinding(); })
      .catch((error) => body.replaceChildren(el('p', {}, error.message)));
    const [previous, next, later] = aside(id);
    for (const coming of [next, later]) if (coming && !taken) new Image().src = `preview/${coming}`;
    return [el('h1', {}, photo.name), el('div', { class: 'actions' },
      el('button', { type: 'button', disabled: !previous, 'aria-keyshortcuts': 'ArrowLeft', onclick: () => open(previous) }, say('previous_photo')),
      el('button', { type: 'button', disabled: !next, 'aria-keyshortcuts': 'ArrowRight', onclick: () => open(next) }, say('next_photo')),
      el('button', { type: 'button', 'aria-keyshortcuts': 'n', onclick: () => goToUndecided() }, say('next_undecided'))), body];
  },

  cameras() {
    return [el('h1', {}, say('cameras')), el('ul', { class: 'cards' }, state.data.cameras.map((camera, index) => {
      const photos = ofCamera(camera.key);
      return el('li', { class: 'card' }, el('h2', {}, el('a', { href: `#/camera/${index}` }, camera.label || camera.key)),
        el('p', {}, camera.summary), el('p', { class: 'quiet' }, say('photos_n', { n: photos.length })));
    }))];
  },

  camera(index) {
    const camera = state.data.cameras[Number(index)];
    if (!camera) return views.missing();
    const photos = ofCamera(camera.key);
    state.trail = byTime(photos).map((photo) => photo.id);
    const facts = [[say('clock'), camera.kind], [say('offset_hours'), camera.offset_hours?.toFixed(2)],
      [say('interval'), camera.interval_hours?.map((bound) => bound.toFixed(2)).join(' – ')]].filter(([, value]) => value);
    return [el('h1', {}, camera.label || camera.key), el('p', {}, camera.summary),
      el('dl', {}, facts.map(([name, value]) => [el('dt', {}, name), el('dd', {}, value)])),
      camera.evidence.length ? [el('h2', {}, say('evidence')), list(camera.evidence)] : '',
      camera.curve?.length ? [el('h2', {}, say('curve')), curve(camera.curve)] : '',
      el('h2', {}, say('timeline')), timeline(photos, (photo) => open(photo.id)),
      el('h2', {}, say('photos_n', { n: photos.length })), virtualList(byTime(photos), photoRow, { label: say('photos') })];
  },

  map() {
    const { photos } = state.data;
    const place = el('div', { class: 'map', role: 'group', 'aria-label': say('map') });
    const chosen = el('p', { role: 'status' });
    const holder = el('div');
    const days = photos.map((photo) => photo.local).filter(Boolean).map(sameDay).sort();
    const from = el('input', { type: 'date', value: days[0] ?? '' });
    const to = el('input', { type: 'date', value: days.at(-1) ?? '' });
    const count = el('p', { class: 'quiet' });
    let show = () => {};
    let line = null;
    const pick = (photo) => {
      chosen.replaceChildren(el('a', { href: `#/photo/${photo.id}` }, photo.name), ` · ${clock(photo.local) || say('no_time')}`);
      show(photo);
      line?.mark(photo);
    };
    const fill = () => {
      const kept = photos.filter((photo) => !photo.local || ((!from.value || sameDay(photo.local) >= from.value) && (!to.value || sameDay(photo.local) <= to.value)));
      const placed = kept.filter((photo) => photo.at);
      count.textContent = say('on_map_n', { n: placed.length, m: kept.length - placed.length });
      line = timeline(kept, pick, (photo) => open(photo.id));
      holder.replaceChildren(line);
      place.draw?.(placed);
    };
    from.addEventListener('change', fill);
    to.addEventListener('change', fill);
    drawMap(place, photos.filter((photo) => photo.at), pick).then((showing) => { show = showing; });
    fill();
    return [el('h1', {}, say('map')), el('form', { class: 'bar', onsubmit: (event) => event.preventDefault() }, el('label', {}, say('from_day'), from), el('label', {}, say('to_day'), to)),
      count, place, chosen, el('h2', {}, say('timeline')), holder];
  },

  unseen() {
    const { data } = state;
    const untested = data.photos.filter((photo) => photo.status === 'not_testable' || photo.status === 'not_examined' || photo.partial);
    state.trail = untested.map((photo) => photo.id);
    return [el('h1', {}, say('unseen')), el('h2', {}, say('reasons')),
      data.reasons.length ? list(data.reasons.map(([stage, reason, n, names]) => `${say('photos_n', { n })} · ${stage}: ${reason} (${names.join(', ')}${n > names.length ? ', …' : ''})`)) : el('p', {}, say('none')),
      el('h2', {}, say('photos_not_tested')), untested.length ? virtualList(untested, photoRow, { label: say('photos_not_tested') }) : el('p', {}, say('none')),
      el('h2', {}, say('passed_over')), data.passed_over.length ? list(data.passed_over.map(([name, reason]) => `${name}: ${reason}`)) : el('p', {}, say('none')),
      el('h2', {}, say('environment')), el('dl', {}, Object.entries(data.environment).map(([name, value]) => [el('dt', {}, name), el('dd', {}, value)]))];
  },

  custody() {
    const holder = el('div', {}, say('loading'));
    const render = ([number, time, account, action, subject, detail, hash]) => el('div', { class: 'line', title: hash }, el('span', {}, String(number)),
      el('span', {}, clock(time)), el('span', {}, action), el('span', { title: subject }, subject), el('span', { title: `${account} · ${detail}` }, detail));
    const coming = taken ? Promise.resolve(taken.custody) : ask(`data/custody?others=${state.others ? 1 : 0}`).then(({ said }) => said);
    coming.then((events) => holder.replaceChildren(virtualList(events, render, { label: say('custody'), height: 34, extra: 'custody' }))).catch((error) => { holder.textContent = error.message; });
    return [el('h1', {}, say('custody')), holder];
  },

  missing: () => [el('p', {}, say('not_found'))],
};

function causeCard(cause, whole = false) {
  const photos = cause.photos.slice(0, 12);
  const open_n = cause.members.filter(([id, check]) => FOUND.includes(state.photos.get(id)?.found[check]) && !isDecided(id, check)).length;
  // What is explained waits for nobody's decision, and nobody made one by leaving it alone.
  const standing = open_n ? say('undecided_n', { n: open_n })
    : cause.members.some(([id, check]) => isDecided(id, check)) ? say('decided') : say('nothing_to_decide');
  const name = el('h2', {}, whole ? cause.label : el('a', { href: `#/cause/${cause.number}`, 'data-cause': cause.number }, cause.name), ' ',
    el('span', { class: `badge ${cause.outcome}` }, state.data.outcomes[cause.outcome]));
  const first = cause.members[0];
  return el('li', { class: `card ${cause.outcome}` }, name,
    whole ? '' : el('p', { class: 'quiet' }, cause.label), el('p', { class: 'wrap' }, cause.summary),
    whole && cause.refutable_by ? el('p', { class: 'quiet' }, `${say('refutable_by')}: ${cause.refutable_by}`) : '',
    el('p', { class: 'quiet' }, `${say('photos_n', { n: cause.photos.length })} · ${say('findings_n', { n: cause.members.length })} · ${cause.checks.map((check) => `${check} ${state.data.rules[check] ?? ''}`).join(' · ')}`),
    el('div', { class: 'thumbs' }, photos.map((id) => el('a', { href: `#/photo/${id}`, tabindex: whole ? '0' : '-1' }, picture(id, state.photos.get(id)?.name ?? '')))),
    first && (whole || !open_n) ? verdicts(...first) : '',
    el('p', { class: 'verdict' }, standing),
    state.data.may_write ? [el('p', { class: 'quiet' }, say('decide_cause', { n: cause.members.length })), buttons(() => causeTarget(cause))] : '');
}

const byTime = (photos) => [...photos].sort((a, b) => (a.local || '9').localeCompare(b.local || '9') || a.name.localeCompare(b.name));
const ofCamera = (key) => state.data.photos.filter((photo) => photo.device === key);

/** The photos before and after one, in the list that it was opened from. */
function aside(id) {
  if (!state.trail.includes(id)) state.trail = state.data.photos.map((photo) => photo.id);
  const at = state.trail.indexOf(id);
  return [state.trail[at - 1], state.trail[at + 1], state.trail[at + 2]];
}

// ------------------------------------------------------------------ one photo

function photoBody(photo, shown) {
  const found = shown.findings.filter((finding) => finding.outcome !== 'consistent');
  const agreeing = shown.findings.filter((finding) => finding.outcome === 'consistent');
  const others = [...new Set(found.flatMap((finding) => finding.others))].filter((id) => id !== photo.id && state.photos.has(id));
  return [el('div', { class: 'photo' },
    el('section', { 'aria-label': say('picture') }, el('figure', {}, picture(photo.id, say('picture_of', { name: photo.name })),
      el('figcaption', {}, shown.status)), claimTable(shown)),
    el('section', { 'aria-label': say('findings') }, el('h2', {}, say('findings')),
      found.length ? found.map((finding) => findingCard(photo, finding)) : el('p', {}, shown.status),
      agreeing.length ? el('details', {}, el('summary', {}, `${say('consistent')} (${agreeing.length})`), list(agreeing.map((finding) => `${finding.check} ${finding.title}: ${finding.summary}`))) : '',
      shown.not_testable.length ? el('details', {}, el('summary', {}, `${say('not_testable')} (${shown.not_testable.length})`), list(shown.not_testable.map(([check, title, why]) => `${check} ${title}: ${why}`))) : '',
      shown.not_examined.length ? [el('h2', {}, say('not_examined')), list(shown.not_examined.map(([stage, why]) => `${stage}: ${why}`))] : '')),
  others.length ? [el('h2', {}, say('pair')), sideBySide(photo, others)] : '',
  el('h2', {}, say('place')), placeMap(photo, shown), el('h2', {}, say('neighbours')), neighbours(photo),
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
  const show = (other) => box.replaceChildren(...[photo, other].map((each) => el('figure', {}, el('a', { href: `#/photo/${each.id}` }, picture(each.id, each.name)),
    el('figcaption', {}, `${each.name} · ${clock(each.local) || say('no_time')}`))));
  show(state.photos.get(others[0]));
  const chooser = others.length > 1 ? el('select', { 'aria-label': say('pair'), onchange: (event) => show(state.photos.get(event.target.value)) },
    others.map((id) => el('option', { value: id }, state.photos.get(id).name))) : '';
  return [chooser, box];
}

function neighbours(photo) {
  const row = byTime(ofCamera(photo.device).filter((each) => each.local));
  const at = row.indexOf(photo);
  if (at < 0) return el('p', { class: 'quiet' }, say('no_time'));
  return el('ul', { class: 'strip' }, row.slice(Math.max(0, at - 3), at + 4).map((each) => el('li', {}, el('a', { href: `#/photo/${each.id}`, 'aria-current': each === photo ? 'true' : null },
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

async function drawMap(place, photos, picked) {
  const map = await baseMap(place);
  if (!map) return () => {};
  const { L } = globalThis;
  const marks = L.layerGroup().addTo(map);
  const ring = L.circleMarker([0, 0], { radius: 11, color: styled('--ink'), weight: 3, fill: false, interactive: false });
  place.draw = (shown) => {
    marks.clearLayers();
    for (const photo of shown) {
      const text = el('span', {}, photo.name);
      L.circleMarker(photo.at, { radius: 6, color: styled('--paper'), weight: 1, fillColor: colour(photo), fillOpacity: 0.9 }).bindTooltip(text).on('click', () => picked(photo)).addTo(marks);
    }
    if (shown.length) map.fitBounds(L.latLngBounds(shown.map((photo) => photo.at)).pad(0.3), { maxZoom: 7, animate: false });
  };
  place.draw(photos);
  return (photo) => { if (photo.at) { ring.setLatLng(photo.at).addTo(map); map.panTo(photo.at, { animate: false }); } else ring.remove(); };
}

function placeMap(photo, shown) {
  if (!photo.at) return el('p', { class: 'quiet' }, say('no_place'));
  const place = el('div', { class: 'map small', role: 'group', 'aria-label': `${say('claimed_place')}: ${photo.at.join(', ')}` });
  baseMap(place).then((map) => {
    if (!map) return;
    const { L } = globalThis;
    L.circleMarker(photo.at, { radius: 8, color: styled('--paper'), weight: 2, fillColor: colour(photo), fillOpacity: 1 }).bindTooltip(el('span', {}, say('claimed_place'))).addTo(map);
    const seen = shown.indicated.position?.value?.split(', ').map(Number);
    if (seen) {
      L.circleMarker(seen, { radius: 8, color: styled('--link'), weight: 3, fill: false }).bindTooltip(el('span', {}, say('indicated_place'))).addTo(map);
      map.fitBounds(L.latLngBounds([photo.at, seen]).pad(0.4), { maxZoom: 5, animate: false });
    } else map.setView(photo.at, 3, { animate: false });
  });
  return place;
}

/** A line a camera, a dot a photo, at its claimed local time. Left and right move, Enter opens. */
function timeline(photos, picked, opened = picked) {
  const timed = byTime(photos.filter((photo) => photo.local));
  if (!timed.length) return el('p', { class: 'quiet' }, say('no_time'));
  const keys = [...new Set(timed.map((photo) => photo.device))];
  const labels = new Map(state.data.cameras.map((camera) => [camera.key, camera.label || camera.key]));
  const wide = 1000;
  const left = 12;
  const line = 34;
  const when = (photo) => Date.parse(`${photo.local.slice(0, 19)}Z`);
  const [start, end] = [when(timed[0]), when(timed.at(-1))];
  const x = (photo) => left + ((when(photo) - start) / Math.max(1, end - start)) * (wide - 2 * left);
  const drawing = el('svg:svg', { class: 'time', viewBox: `0 0 ${wide} ${keys.length * line + 24}`, role: 'application', tabindex: '0', 'aria-label': `${say('timeline')}. ${say('timeline_hint')}` });
  keys.forEach((key, index) => {
    const y = index * line + 24;
    const text = el('svg:text', { x: left, y: y - 9 }, (labels.get(key) ?? key).slice(0, 80));
    drawing.append(text, el('svg:line', { class: 'axis', x1: left, x2: wide - left, y1: y, y2: y }));
  });
  const dots = timed.map((photo) => {
    const dot = el('svg:circle', { class: `dot ${worst(photo)}`, cx: x(photo).toFixed(1), cy: keys.indexOf(photo.device) * line + 24, r: 5 }, el('svg:title', {}, `${photo.name} ${photo.local}`));
    dot.addEventListener('click', () => { at = timed.indexOf(photo); mark(photo); picked(photo); });
    drawing.append(dot);
    return dot;
  });
  drawing.append(el('svg:text', { x: left, y: keys.length * line + 18 }, timed[0].local.slice(0, 16).replace('T', ' ')),
    el('svg:text', { x: wide - left, y: keys.length * line + 18, 'text-anchor': 'end' }, timed.at(-1).local.slice(0, 16).replace('T', ' ')));
  let at = -1;
  const mark = (photo) => { dots.forEach((dot) => dot.classList.remove('now')); at = timed.indexOf(photo); dots[at]?.classList.add('now'); };
  drawing.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && at >= 0) { event.preventDefault(); event.stopPropagation(); opened(timed[at]); return; }
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    at = Math.max(0, Math.min(timed.length - 1, at + step));
    mark(timed[at]);
    announce(`${timed[at].name}, ${clock(timed[at].local)}`);
    if (opened !== picked) picked(timed[at]);
  });
  drawing.mark = mark;
  return drawing;
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
  const lines = ['move', 'open', 'confirm', 'innocent', 'dismiss', 'second', 'note', 'all', 'repeat', 'next', 'undo', 'search', 'views', 'others', 'theme', 'help'];
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

function route(stay = false) {
  const [name, ...rest] = decodeURIComponent(location.hash.replace(/^#\/?/, '') || 'causes').split('/');
  const before = state.current;
  const focused = document.activeElement?.dataset?.cause;
  const y = globalThis.scrollY;
  state.current = null;
  if (name === 'causes' || name === 'cause') state.trail = [...new Set(queue().map(([id]) => id))];
  const view = Object.hasOwn(views, name) ? views[name] : views.missing;
  byId('main').replaceChildren(...parts(view(...rest)));
  for (const link of document.querySelectorAll('nav a')) {
    const here = link.dataset.view === name || (name === 'cause' && link.dataset.view === 'causes') || (name === 'photo' && link.dataset.view === 'photos') || (name === 'camera' && link.dataset.view === 'cameras');
    if (here) link.setAttribute('aria-current', 'page'); else link.removeAttribute('aria-current');
  }
  if (stay) {
    if (before?.photo && state.current?.photo === before.photo) state.current.check = before.check;
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

const acts = {
  ArrowDown: () => step(1), ArrowUp: () => step(-1),
  ArrowLeft: () => { const id = state.current?.photo && aside(state.current.photo.id)[0]; if (id) open(id); },
  ArrowRight: () => { const id = state.current?.photo && aside(state.current.photo.id)[1]; if (id) open(id); },
  Escape: () => { if (location.hash.startsWith('#/photo/') || location.hash.startsWith('#/cause/') || location.hash.startsWith('#/camera/')) history.back(); },
  n: () => goToUndecided(), u: undo, U: redo, o: () => { if (!taken) others(); }, t: theme, '?': help,
  e: () => { const aim = focusedTarget(); if (aim) askWhy('confirmed', aim); },
  r: () => { if (state.last) decideAndGoOn(state.last.decision, focusedTarget(), { ...state.last.words, replaces: undefined }); else announce(say('nothing_to_repeat')); },
  '/': () => { if (byId('search')) byId('search').focus(); else { location.hash = '#/photos'; setTimeout(() => byId('search')?.focus(), 60); } },
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
  if (/^[1-6]$/.test(event.key)) act = () => { location.hash = `#/${VIEWS[Number(event.key) - 1]}`; };
  if (!act) return;
  event.preventDefault();
  act();
});

globalThis.addEventListener('hashchange', () => route());

async function begin(language = '') {
  details.clear();
  try {
    state.data = await loadCase(language);
    state.photos = new Map(state.data.photos.map((photo) => [photo.id, photo]));
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
