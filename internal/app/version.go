package app

// version is the version of the program.
const version = "0.2.0"
