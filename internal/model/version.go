package model

// Version is the version of the program.
const Version = "0.2.0"
