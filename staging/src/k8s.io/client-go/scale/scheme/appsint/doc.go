// Package appsint makes Scale known to a scheme as an internal kind of the group
// apps. A scheme converts between two versions of a group by way of that group's
// internal version, so each group needs one.
package appsint
