"""The browser snippet, plain JavaScript in recloop.js."""
