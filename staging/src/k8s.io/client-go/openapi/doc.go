// Package openapi fetches the schemas of a server's resources, in OpenAPI v3.
//
// There is a document for each group and version, and a root document that
// says where they are. Paths of a [Client] reads the root; the documents follow when
// they are asked for:
//
//	paths, err := client.Paths()
//	if err != nil {
//		return err
//	}
//	apps, ok := paths["apis/apps/v1"]
//	if !ok {
//		return errors.New("the server has no schema for apps/v1")
//	}
//	schema, err := apps.Schema("application/json")
//
// Package cached remembers what was fetched. Package openapi3 looks documents
// up by group and version, and decodes them.
package openapi
