// The pages work without this file; it adds comfort only.
import { initAll as govuk } from '../vendor/govuk-frontend/govuk-frontend.min.js';
import { initAll as moj } from '../vendor/moj-frontend/moj-frontend.min.js';

// Questions that depend on an answer. (The toolkit's own way puts aria-expanded on radio buttons, which ARIA does not allow.)
function reveal(scope) {
  scope.querySelectorAll('[data-sl-reveal]').forEach((part) => {
    const form = part.closest('form');
    const boxes = Array.from(form.elements).filter((box) => box.name === part.dataset.slReveal);
    const show = () => {
      part.hidden = !boxes.some((box) => (box.type === 'radio' || box.type === 'checkbox' ? box.checked : true) && box.value === part.dataset.slValue);
    };
    boxes.forEach((box) => box.addEventListener('change', show));
    show();
  });
}

function start(scope) {
  govuk({ scope });
  moj({ scope });
  reveal(scope);
  if (!window.accessibleAutocomplete) return;
  scope.querySelectorAll('select[data-sl-search]').forEach((select) => {
    window.accessibleAutocomplete.enhanceSelectElement({
      selectElement: select,
      defaultValue: select.selectedOptions[0] && select.value ? select.selectedOptions[0].text : '',
      showAllValues: true,
      preserveNullOptions: true,
      name: '',
    });
    select.removeAttribute('data-sl-search');
  });
}

start(document);
// Parts that htmx brings in get the same treatment.
document.addEventListener('htmx:load', (event) => {
  if (event.detail.elt !== document.body) start(event.detail.elt);
});
// A security key that could not be used: said on the page, not in the console.
document.addEventListener('allauth.error', (event) => {
  event.preventDefault();
  document.querySelectorAll('[data-sl-key-error]').forEach((part) => { part.hidden = false; });
});
// A page kept by the browser's back button after signing out must ask the server again.
window.addEventListener('pageshow', (event) => {
  if (event.persisted) window.location.reload();
});

// Nothing of a case stays on a screen after its session: not in another tab, not while the server is away.
const tabs = 'BroadcastChannel' in window ? new BroadcastChannel('safelight') : null;
const SIGNED_OUT = 'signed-out';

function clear() {
  if (!document.body.dataset.slIdle) return; // nobody is signed in on this page
  document.title = 'Signed out – Safelight';
  delete document.body.dataset.slIdle;
  // No page is asked for: the other tab's sign-out may be on its way yet, or the server away.
  const said = document.createElement('main');
  said.className = 'govuk-width-container govuk-main-wrapper';
  said.id = 'main-content';
  const words = document.createElement('h1');
  words.className = 'govuk-heading-l';
  words.textContent = 'You are signed out';
  const link = document.createElement('a');
  link.className = 'govuk-link govuk-body';
  link.href = '/sign-in/';
  link.textContent = 'Sign in';
  said.append(words, link);
  document.body.replaceChildren(said);
  words.tabIndex = -1;
  words.focus(); // so that it is read out
}

if (tabs) tabs.onmessage = (event) => { if (event.data === SIGNED_OUT) clear(); };
document.querySelectorAll('form[data-sl-sign-out]').forEach((form) => {
  form.addEventListener('submit', () => { if (tabs) tabs.postMessage(SIGNED_OUT); });
});
const idle = Number(document.body.dataset.slIdle || 0) * 1000;
if (idle) {
  let touched = Date.now();
  ['keydown', 'pointerdown', 'input'].forEach((kind) => {
    document.addEventListener(kind, () => { touched = Date.now(); }, { passive: true, capture: true });
  });
  // Who is typing is there. A clock that the machine's sleep stops would be late, so that the time of day is asked.
  setInterval(() => { if (Date.now() - touched > idle + 60000) clear(); }, 15000);
}
