// Shows a list of notes.
import React, { useState } from "react";
import "./notes.css";
export * from './types';
const fs = require("fs");

/** How many notes are shown. */
const LIMIT = 20;

/**
 * A note with a title.
 *
 * @param {object} props what it holds
 */
export default function Note({ title, text }) {
  const [open, setOpen] = useState(false);
  return <li onClick={() => setOpen(!open)}>{open ? text : title}</li>;
}

export const List = ({ notes }) => {
  const shown = notes.slice(0, LIMIT);
  return <ul>{shown.map((note) => <Note key={note.id} {...note} />)}</ul>;
};

class Store extends Base {
  #notes = [];
  static name = "store";

  constructor(file) {
    super();
    this.file = file; // where notes are
  }

  /** Reads all notes. */
  async *read() {
    yield* JSON.parse(fs.readFileSync(this.file));
  }

  onChange = (event) => {
    this.emit("change", event.target.value);
  };
}

app.get("/notes", async (request, response) => {
  const store = new Store("notes.json");
  response.json(await store.read());
});

exports.parse = function (text) {
  const lines = text.split("\n");
  return lines.filter((line) => line !== "");
};

module.exports = { Store, List };
