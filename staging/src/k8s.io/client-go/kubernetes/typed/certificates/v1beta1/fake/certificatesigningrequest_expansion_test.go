package fake

import (
	"errors"
	"reflect"
	"testing"

	certificatesv1beta1 "k8s.io/api/certificates/v1beta1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"
)

func TestUpdateApprovalIsAnUpdateOfTheSubresource(t *testing.T) {
	fake := &FakeCertificatesV1beta1{Fake: &clienttesting.Fake{}}
	request := &certificatesv1beta1.CertificateSigningRequest{ObjectMeta: metav1.ObjectMeta{Name: "kiosk"}}
	options := metav1.UpdateOptions{FieldManager: "approver"}
	if _, err := fake.CertificateSigningRequests().UpdateApproval(t.Context(), request, options); err != nil {
		t.Fatal(err)
	}
	want := clienttesting.NewRootUpdateSubresourceActionWithOptions(
		certificatesv1beta1.SchemeGroupVersion.WithResource("certificatesigningrequests"), "approval", request, options)
	if !reflect.DeepEqual(fake.Actions(), []clienttesting.Action{want}) {
		t.Errorf("recorded %#v, want %#v", fake.Actions(), want)
	}
}

func TestUpdateApprovalReturnsWhatTheReactorDoes(t *testing.T) {
	approved, refused := &certificatesv1beta1.CertificateSigningRequest{}, errors.New("not today")
	for _, test := range []struct {
		object runtime.Object
		want   *certificatesv1beta1.CertificateSigningRequest
		err    error
	}{{approved, approved, nil}, {nil, nil, nil}, {nil, nil, refused}} {
		fake := &FakeCertificatesV1beta1{Fake: &clienttesting.Fake{}}
		fake.AddReactor("update", "certificatesigningrequests/approval",
			func(clienttesting.Action) (bool, runtime.Object, error) { return true, test.object, test.err })
		got, err := fake.CertificateSigningRequests().UpdateApproval(t.Context(), &certificatesv1beta1.CertificateSigningRequest{}, metav1.UpdateOptions{})
		if got != test.want || err != test.err {
			t.Errorf("got %v and error %v, want %v and %v", got, err, test.want, test.err)
		}
	}
}
