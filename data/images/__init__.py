"""Pictures read pixel by pixel: CIFAR-10, MNIST and the digits of scikit-learn."""
