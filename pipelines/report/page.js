"use strict";
// Draws each chart in its place; the tables beneath say the same without this script.
const specs = JSON.parse(document.getElementById("specs").textContent);
const options = {
  actions: false,
  renderer: "svg",
  defaultStyle: false,
  tooltip: { theme: "report", disableDefaultStyle: true },
};
document.querySelectorAll("[data-chart]").forEach(async (place) => {
  try {
    await vegaEmbed(place, specs[place.dataset.chart], options);
    place.dataset.drawn = "yes";
  } catch (error) {
    place.removeAttribute("aria-hidden");
    place.textContent = "This chart could not be drawn here; its numbers are in the table below.";
    console.error(place.dataset.chart, error);
  }
});
