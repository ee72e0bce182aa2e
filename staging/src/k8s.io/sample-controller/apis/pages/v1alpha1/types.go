package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// A Page is a text that is to be published.
//
// +genclient
// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object
type Page struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   PageSpec   `json:"spec"`
	Status PageStatus `json:"status,omitempty"`
}

// A PageSpec is what the author wants.
type PageSpec struct {
	// Title is the heading.
	Title string `json:"title"`
	// Text is what stands below it. An empty line begins a new paragraph.
	Text string `json:"text,omitempty"`
}

// A PageStatus is what the controller has come to.
type PageStatus struct {
	// ObservedGeneration is the generation of the page that the rest is about.
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// ConfigMap is the name of the ConfigMap that has the page.
	ConfigMap string `json:"configMap,omitempty"`
	// Conditions has one of the type Published.
	//
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

const (
	// ConditionPublished is the type of the condition that is true when the
	// ConfigMap has what the spec says.
	ConditionPublished = "Published"

	// ReasonWritten says that the ConfigMap is as it should be.
	ReasonWritten = "Written"
	// ReasonTaken says that there is a ConfigMap of the page's name which belongs to
	// something else.
	ReasonTaken = "Taken"
)

// A PageList is a list of pages.
//
// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object
type PageList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []Page `json:"items"`
}
