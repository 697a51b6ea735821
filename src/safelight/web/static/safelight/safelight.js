// The pages work without this file; it adds comfort only.
import { initAll as govuk } from '../vendor/govuk-frontend/govuk-frontend.min.js';
import { initAll as moj } from '../vendor/moj-frontend/moj-frontend.min.js';

function start(scope) {
  govuk({ scope });
  moj({ scope });
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
// A page kept by the browser's back button after signing out must ask the server again.
window.addEventListener('pageshow', (event) => {
  if (event.persisted) window.location.reload();
});
