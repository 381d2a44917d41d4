// Sends with apns2, as its README shows: to Apple's production host.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"os"

	"github.com/sideshow/apns2"
	"github.com/sideshow/apns2/payload"
	"github.com/sideshow/apns2/token"
)

func main() {
	key, err := token.AuthKeyFromFile(os.Getenv("APNS_KEY"))
	if err != nil {
		log.Fatal(err)
	}
	client := apns2.NewTokenClient(&token.Token{
		AuthKey: key, KeyID: os.Getenv("APNS_KEY_ID"), TeamID: os.Getenv("APNS_TEAM_ID"),
	}).Production()
	seen := map[string]string{}
	for kind, name := range map[string]string{"good": "GOOD", "rejected": "REJECTED", "gone": "GONE"} {
		answer, err := client.Push(&apns2.Notification{
			DeviceToken: os.Getenv(name), Topic: os.Getenv("APNS_TOPIC"),
			Payload: payload.NewPayload().Alert("hello"),
		})
		switch {
		case err != nil:
			seen[kind] = err.Error()
		case answer.Sent():
			seen[kind] = "accepted"
		default:
			seen[kind] = answer.Reason
		}
	}
	text, _ := json.Marshal(seen)
	fmt.Println(string(text))
}
