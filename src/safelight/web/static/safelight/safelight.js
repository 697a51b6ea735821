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
