// Sends with firebase-admin-go, as its documentation shows.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"

	firebase "firebase.google.com/go/v4"
	"firebase.google.com/go/v4/messaging"
	"google.golang.org/api/option"
)

func main() {
	ctx := context.Background()
	app, err := firebase.NewApp(ctx, nil, option.WithCredentialsFile(os.Getenv("SERVICE_ACCOUNT")))
	if err != nil {
		log.Fatal(err)
	}
	client, err := app.Messaging(ctx)
	if err != nil {
		log.Fatal(err)
	}
	seen := map[string]string{}
	for kind, name := range map[string]string{"good": "GOOD", "rejected": "REJECTED", "gone": "GONE"} {
		_, err := client.Send(ctx, &messaging.Message{
			Token:        os.Getenv(name),
			Notification: &messaging.Notification{Title: "hello"},
		})
		switch {
		case err == nil:
			seen[kind] = "accepted"
		case messaging.IsUnregistered(err):
			seen[kind] = "unregistered"
		case messaging.IsInvalidArgument(err):
			seen[kind] = "invalid-argument"
		default:
			seen[kind] = err.Error()
		}
	}
	text, _ := json.Marshal(seen)
	fmt.Println(string(text))
}
