"""How the shipped networks are made. Needs TensorFlow; nothing that scores imports it."""
