"use strict";

const form = document.querySelector("form");
const output = document.querySelector("#found");
const button = form.querySelector("button");

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  button.disabled = true;
  output.textContent = "reading …";
  const article = { id: "tried", text: form.elements.text.value };
  try {
    const answer = await fetch("extract", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ articles: [article] }),
    });
    output.textContent = JSON.stringify(await answer.json(), null, 2);
  } catch (error) {
    output.textContent = `no answer: ${error.message}`;
  }
  button.disabled = false;
});
